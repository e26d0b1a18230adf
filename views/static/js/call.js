// The call screen by keyboard: Ctrl+Enter makes the ticket from wherever one is typing.
const main = document.querySelector("[data-main]");

document.addEventListener("keydown", (event) => {
  if (!main || event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.isComposing) return;
  event.preventDefault();
  main.click();
});

// The call screen by keyboard: Ctrl+Enter makes the ticket from wherever one is typing. An emergency has its text shown.
const main = document.querySelector("[data-main]");

document.addEventListener("keydown", (event) => {
  if (!main || event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.isComposing) return;
  event.preventDefault();
  main.click();
});

const form = document.querySelector("#call");
const look = form?.querySelector("[name=then][value=look]");
// What the text depends on. The server knows it: the page comes back with all that was typed.
const DECIDING = ["urgency", "queue", "contract"];

form?.addEventListener("change", (event) => {
  if (!look || !DECIDING.includes(event.target.name)) return;
  if (form.elements.urgency?.value === "emergency" || document.querySelector("#emergency")) form.requestSubmit(look);
});

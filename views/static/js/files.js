// Files too large for one request are told of where they are chosen: the server could only refuse the page whole,
// and with it what was typed beside them.

// The other fields, and the lines between the parts of a form.
const REST = 200_000;
const limit = document.querySelector("meta[name=most-sent]");

function filesOf(form) {
  return [...form.querySelectorAll("input[type=file]")];
}

/** Say so where the files of the form are too large together; return whether they are. */
function tell(form) {
  const inputs = filesOf(form);
  const size = inputs.flatMap((input) => [...input.files]).reduce((sum, file) => sum + file.size, 0);
  const refused = size > Number(limit.content) - REST;
  for (const input of inputs) input.setCustomValidity(refused && input.files.length ? limit.dataset.sentence : "");
  if (refused) inputs.find((input) => input.files.length).reportValidity();
  return refused;
}

document.addEventListener("change", ({ target }) => {
  if (target.matches("form input[type=file]")) tell(target.form);
});

// Forms that leave checking to the server go out whatever their fields say.
document.addEventListener("submit", (event) => {
  if (!filesOf(event.target).length || !tell(event.target)) return;
  event.preventDefault();
  event.stopImmediatePropagation();
}, { capture: true });

// A button beside each date field opens the browser's own calendar; what is typed stays as the language writes it.

function toIso(text) {
  const parts = text.trim().match(/^(\d{1,2})[/.\- ](\d{1,2})[/.\- ](\d{4})$/);
  return parts ? `${parts[3]}-${parts[2].padStart(2, "0")}-${parts[1].padStart(2, "0")}` : "";
}

function prepare(field) {
  field.dataset.ready = "yes";
  const box = document.createElement("span");
  box.className = "with-day";
  field.before(box);
  const picker = document.createElement("input");
  picker.type = "date";
  picker.tabIndex = -1;
  picker.setAttribute("aria-hidden", "true");
  const button = document.createElement("button");
  button.type = "button";
  button.className = "btn btn-ghost btn-icon";
  button.setAttribute("aria-label", field.dataset.date);
  button.innerHTML = '<i class="bi bi-calendar3" aria-hidden="true"></i>';
  box.append(field, picker, button);
  button.addEventListener("click", () => { picker.value = toIso(field.value); picker.showPicker(); });
  picker.addEventListener("change", () => {
    const [year, month, day] = picker.value.split("-");
    field.value = day ? `${day}/${month}/${year}` : "";
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.focus();
  });
}

/** Add a calendar button to every date field inside `root`. */
export function prepareDays(root) {
  if (!("showPicker" in HTMLInputElement.prototype)) return;
  for (const field of root.querySelectorAll("[data-date]:not([data-ready])")) prepare(field);
}

// The form that adds a filter: the conditions of the chosen field, and the inputs of the chosen condition.
import { prepareComboboxes } from "./combobox.js";

function prepare(box) {
  const fieldSelect = box.querySelector("[name=f_field]");
  const opSelect = box.querySelector("[name=f_op]");
  const place = box.querySelector("[data-value]");
  const inputs = box.querySelector("template[data-inputs]").content;

  const templateOf = (name) => box.querySelector(`template[data-field="${CSS.escape(name)}"]`).content;

  function showInput() {
    const kind = opSelect.selectedOptions[0]?.dataset.input ?? "text";
    const wanted = `[data-input="${kind}"]:not(option)`;
    const source = templateOf(fieldSelect.value).querySelector(wanted) ?? inputs.querySelector(wanted);
    place.replaceChildren(...(kind === "none" || !source ? [] : [source.cloneNode(true)]));
    prepareComboboxes(place);
  }

  function showField() {
    const options = templateOf(fieldSelect.value).querySelectorAll("option");
    opSelect.replaceChildren(...[...options].map((option) => option.cloneNode(true)));
    opSelect.selectedIndex = 0;
    showInput();
  }

  fieldSelect.addEventListener("change", showField);
  opSelect.addEventListener("change", showInput);
  box.addEventListener("toggle", () => { if (box.open) fieldSelect.focus(); });
  box.querySelector("form").addEventListener("submit", (event) => {
    const ticks = place.querySelectorAll("input[type=checkbox]");
    const relation = place.querySelector("[data-combo]");
    const nothing = (ticks.length && ![...ticks].some((tick) => tick.checked)) || (relation && !relation.querySelector("[data-combo-value]").value);
    if (!nothing) return;
    event.preventDefault();
    (ticks[0] ?? relation.querySelector("[data-combo-text]")).focus();
  });
  showField();
}

for (const box of document.querySelectorAll("[data-add-filter]")) prepare(box);

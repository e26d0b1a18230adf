// The form that adds a filter, or changes one: the conditions of the chosen field, the inputs of the chosen condition.
import { prepareComboboxes } from "./combobox.js";

function prepare(box) {
  const fieldSelect = box.querySelector("[name=f_field]");
  const opSelect = box.querySelector("[name=f_op]");
  const place = box.querySelector("[data-value]");
  const inputs = box.querySelector("template[data-inputs]").content;
  const form = box.querySelector("form");
  const button = form.querySelector("[type=submit]");
  const wordAdd = button.textContent;
  let replaced = null;

  const templateOf = (name) => box.querySelector(`template[data-field="${CSS.escape(name)}"]`).content;

  function showInput(prefill = () => {}) {
    const kind = opSelect.selectedOptions[0]?.dataset.input ?? "text";
    const wanted = `[data-input="${kind}"]:not(option)`;
    const source = templateOf(fieldSelect.value).querySelector(wanted) ?? inputs.querySelector(wanted);
    place.replaceChildren(...(kind === "none" || !source ? [] : [source.cloneNode(true)]));
    prefill();
    prepareComboboxes(place);
  }

  function showField(operator = "", prefill = () => {}) {
    const options = templateOf(fieldSelect.value).querySelectorAll("option");
    opSelect.replaceChildren(...[...options].map((option) => option.cloneNode(true)));
    opSelect.value = operator;
    if (opSelect.selectedIndex < 0) opSelect.selectedIndex = 0;
    showInput(prefill);
  }

  function fill(values, label) {
    const ticks = [...place.querySelectorAll("input[type=checkbox]")];
    for (const tick of ticks) tick.checked = values.includes(tick.value);
    const relation = place.querySelector("[data-combo]");
    if (relation && values.length) {
      relation.querySelector("[data-combo-value]").value = values[0];
      relation.querySelector("[data-combo-text]").value = label;
    } else if (!ticks.length) {
      place.querySelectorAll("input").forEach((input, index) => { input.value = values[index] ?? ""; });
    }
  }

  /** Open the form with the filter of `chip` in it; it replaces that one. */
  function edit(chip) {
    const { field, operator, values } = JSON.parse(chip.dataset.edit);
    fieldSelect.value = field;
    showField(operator, () => fill(values, chip.dataset.editLabel));
    replaced = chip;
    button.textContent = button.dataset.wordChange;
    box.open = true;
  }

  function restore() {
    if (!replaced) return;
    replaced = null;
    button.textContent = wordAdd;
    fieldSelect.selectedIndex = 0;
    showField();
  }

  fieldSelect.addEventListener("change", () => showField());
  opSelect.addEventListener("change", () => showInput());
  box.addEventListener("toggle", () => { if (box.open) fieldSelect.focus(); else restore(); });
  for (const chip of document.querySelectorAll("[data-edit-filter]")) {
    chip.addEventListener("click", (event) => { event.stopPropagation(); edit(chip); });
  }
  form.addEventListener("formdata", (event) => {
    if (!replaced) return;
    const others = event.formData.getAll("f").filter((text) => text !== replaced.dataset.editFilter);
    event.formData.delete("f");
    for (const text of others) event.formData.append("f", text);
  });
  form.addEventListener("submit", (event) => {
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

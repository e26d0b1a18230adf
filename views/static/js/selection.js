// Ticked rows of a list: how many there are, all of a page, a range with Shift, and what can be done with them.

const bar = document.querySelector("[data-bulk]");
const boxes = [...document.querySelectorAll('input[form="bulk"][name="row"]')];
const page = document.querySelector("[data-bulk-page]");
const all = bar?.querySelector("[data-bulk-all]");
const count = bar?.querySelector("[data-bulk-count]");
let last = null;

function show() {
  const ticked = boxes.filter((box) => box.checked);
  const was = bar.classList.contains("is-open");
  bar.classList.toggle("is-open", ticked.length > 0);
  // The rows stay where they are under the pointer.
  if (was !== ticked.length > 0) scrollBy({ top: (was ? -1 : 1) * (was ? height : bar.offsetHeight), behavior: "instant" });
  if (ticked.length) height = bar.offsetHeight;
  count.textContent = ticked.length === 1 ? count.dataset.one : count.dataset.many.replace("{count}", ticked.length);
  page.checked = ticked.length === boxes.length;
  page.indeterminate = ticked.length > 0 && ticked.length < boxes.length;
  for (const box of boxes) box.closest("tr").classList.toggle("is-selected", box.checked);
}

let height = 0;

function tick(wanted, value) {
  for (const box of wanted) box.checked = value;
  if (all && !value) all.checked = false;
  show();
}

function onTick(event) {
  const box = event.target;
  if (event.shiftKey && last) {
    const [from, to] = [boxes.indexOf(last), boxes.indexOf(box)].sort((a, b) => a - b);
    for (const other of boxes.slice(from, to + 1)) other.checked = box.checked;
  }
  last = box;
  if (all && !box.checked) all.checked = false;
  show();
}

if (bar && boxes.length) {
  for (const box of boxes) box.addEventListener("click", onTick);
  page.addEventListener("change", () => tick(boxes, page.checked));
  all?.addEventListener("change", () => { if (all.checked) tick(boxes, true); });
  bar.querySelector("[data-bulk-clear]").addEventListener("click", () => { tick(boxes, false); boxes[0].focus(); });
  // Going back in the browser may bring ticks along.
  addEventListener("pageshow", show);
  show();
}

// Forms: lines of children, unsaved changes, Ctrl+S, the section one is in, native day choosers.
import { prepareComboboxes } from "./combobox.js";
import { prepareDays } from "./days.js";
import { prepareLines } from "./lines.js";

function snapshot(form) {
  return JSON.stringify([...new FormData(form)].filter(([name]) => name !== "csrf_token").map(([name, value]) => [name, value instanceof File ? value.name : value]));
}

function watchChanges(form) {
  const before = snapshot(form);
  const state = document.querySelector("[data-form-state]");
  const quiet = state?.textContent;
  const refused = document.querySelector("[data-problems], [data-conflict], [data-resumed]") !== null;
  let sending = false;
  const isChanged = () => refused || snapshot(form) !== before;

  function tell() {
    if (state) state.textContent = isChanged() ? form.dataset.wordUnsaved : quiet;
  }
  for (const kind of ["input", "change", "lines"]) form.addEventListener(kind, tell);
  form.addEventListener("submit", (event) => {
    if (sending) event.preventDefault(); // a second click would save twice
    sending = true;
  });
  addEventListener("pageshow", (event) => { if (event.persisted) sending = false; });
  addEventListener("beforeunload", (event) => {
    if (!sending && isChanged()) event.preventDefault();
  });
  tell();
}

function saveByKey(form) {
  addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "s") {
      event.preventDefault();
      form.requestSubmit();
    }
  });
}

function followSections() {
  const links = new Map([...document.querySelectorAll(".on-page a")].map((link) => [document.querySelector(link.hash), link]));
  if (!links.size) return;
  const seen = new Set();
  const observer = new IntersectionObserver((entries) => {
    for (const entry of entries) seen[entry.isIntersecting ? "add" : "delete"](entry.target);
    const first = [...links.keys()].find((section) => seen.has(section));
    for (const [section, link] of links) {
      if (section === first) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
  }, { rootMargin: "-80px 0px -40% 0px" });
  for (const section of links.keys()) if (section) observer.observe(section);
}

function goToFields() {
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("[data-problems] a, [data-conflict] a[href^='#']");
    const field = link && document.getElementById(decodeURIComponent(link.hash.slice(1)));
    if (!field) return;
    event.preventDefault();
    const control = field.matches("input, select, textarea") ? field : field.querySelector("input:not([type=hidden]), select, textarea");
    (control ?? field).focus();
    (control ?? field).scrollIntoView({ block: "center" });
  });
  document.querySelector("[data-problems]")?.focus();
}

function takeTheirs(form) {
  document.querySelector("[data-conflict]")?.addEventListener("click", (event) => {
    const button = event.target.closest("[data-take]");
    const field = button && document.getElementById(button.dataset.into);
    if (!field) return;
    if (field.type === "checkbox") field.checked = ["1", "true", "on"].includes(button.dataset.take);
    else field.value = button.dataset.take;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.focus();
    form.dispatchEvent(new Event("change"));
  });
}

// Forms that are no records' have relations and days to pick as well, and nothing to watch.
for (const form of document.querySelectorAll("[data-form], [data-pickers]")) {
  prepareComboboxes(form);
  prepareDays(form);
}
for (const form of document.querySelectorAll("[data-form]")) {
  prepareLines(form);
  watchChanges(form);
  saveByKey(form);
  takeTheirs(form);
}
followSections();
goToFields();

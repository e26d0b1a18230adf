// The desk's frame: menus, navigation, looks, keys, rows that open by click.
import "./waiting.js";

const looks = window.looks;

function closeMenus(except) {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(except)) menu.open = false;
  }
}

function keepInside(pop) {
  pop.style.translate = "none";
  const { left, right } = pop.getBoundingClientRect();
  const shift = left < 8 ? 8 - left : Math.min(0, document.documentElement.clientWidth - 8 - right);
  if (shift) pop.style.translate = `${shift}px 0`;
}

// A menu inside a scrolling table would be cut off: it is laid over the page instead.
function placeMenu(menu) {
  const pop = menu.querySelector(".menu-pop");
  if (!pop) return;
  if (!menu.classList.contains("row-actions")) { keepInside(pop); return; }
  const anchor = menu.getBoundingClientRect();
  const below = innerHeight - anchor.bottom > pop.offsetHeight + 8;
  pop.style.position = "fixed";
  pop.style.insetInlineEnd = "auto";
  pop.style.left = `${Math.max(8, anchor.right - pop.offsetWidth)}px`;
  pop.style.top = below ? `${anchor.bottom}px` : `${Math.max(8, anchor.top - pop.offsetHeight - 4)}px`;
}

function onToggle(event) {
  const menu = event.target;
  if (!(menu instanceof HTMLDetailsElement) || !menu.classList.contains("menu") || !menu.open) return;
  closeMenus(menu);
  placeMenu(menu);
}

function onEscape() {
  const open = document.querySelector("details.menu[open]");
  if (open) {
    open.open = false;
    open.querySelector("summary").focus();
  } else {
    setDrawer(false);
  }
}

function isTyping(target) {
  return target.closest?.("input, textarea, select, [contenteditable], dialog") != null;
}

function onKey(event) {
  if (event.key === "Escape") { onEscape(); return; }
  const control = event.ctrlKey || event.metaKey;
  if (event.altKey || event.isComposing || (control ? event.key !== "k" : isTyping(event.target) || event.target.closest?.("[role=grid]"))) return;
  const target = document.querySelector(`[data-key="${CSS.escape(event.key.toLowerCase())}"]`);
  if (!target || (event.key === "k" && !control)) return;
  event.preventDefault();
  if (target.matches("input")) { target.focus(); target.select(); } else { target.click(); }
}

// Rows: the whole row opens the record, with the browser's own ways of opening in a new tab.
function onRowClick(event) {
  const row = event.target.closest?.("tr[data-url]");
  if (!row || event.defaultPrevented || event.target.closest("a, button, input, label, select, details, summary")) return;
  if (String(getSelection())) return;
  if (event.type === "auxclick" ? event.button === 1 : event.ctrlKey || event.metaKey) open(row.dataset.url, "_blank", "noopener");
  else if (event.type === "click") location.assign(row.dataset.url);
}

const drawer = document.getElementById("menu");
const opener = document.querySelector("[data-menu-open]");

function setDrawer(isOpen) {
  if (!drawer || !opener) return;
  const was = drawer.classList.contains("is-open");
  drawer.classList.toggle("is-open", isOpen);
  opener.setAttribute("aria-expanded", String(isOpen));
  if (isOpen) drawer.querySelector("a, button").focus();
  else if (was) opener.focus();
}

function prepareDrawer() {
  if (!drawer || !opener) return;
  opener.setAttribute("role", "button");
  opener.setAttribute("aria-controls", "menu");
  opener.setAttribute("aria-expanded", "false");
  opener.addEventListener("click", (event) => { event.preventDefault(); setDrawer(true); });
  for (const close of document.querySelectorAll("[data-menu-close]")) {
    close.addEventListener("click", (event) => { event.preventDefault(); setDrawer(false); });
  }
}

function prepareRail() {
  const button = document.querySelector("[data-menu-rail]");
  if (!button) return;
  const show = () => {
    const narrow = looks.get("menu") === "rail";
    button.setAttribute("aria-pressed", String(narrow));
    if (narrow) for (const group of drawer.querySelectorAll("details")) group.open = true;
  };
  button.addEventListener("click", () => {
    looks.set("menu", looks.get("menu") === "rail" ? "wide" : "rail");
    show();
  });
  show();
}

function rememberGroups() {
  for (const group of document.querySelectorAll("details[data-remember]")) {
    const key = group.dataset.remember;
    const holdsCurrent = group.querySelector("[aria-current]") !== null;
    try { if (localStorage.getItem(key) === "closed" && !holdsCurrent && looks.get("menu") !== "rail") group.open = false; } catch { return; }
    group.addEventListener("toggle", () => {
      if (looks.get("menu") !== "rail") localStorage.setItem(key, group.open ? "open" : "closed");
    });
  }
}

function prepareLooks() {
  const choices = [["theme", "setTheme"], ["density", "setDensity"]];
  const show = () => {
    for (const [name, key] of choices) {
      for (const button of document.querySelectorAll("button.segment")) {
        if (button.dataset[key]) button.setAttribute("aria-pressed", String(button.dataset[key] === looks.get(name)));
      }
    }
  };
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("button.segment");
    for (const [name, key] of choices) if (button?.dataset[key]) looks.set(name, button.dataset[key]);
    if (button) show();
  });
  show();
}

// Several ticked columns become one short parameter: c=number,state
function joinColumns() {
  document.querySelector("[data-columns] form")?.addEventListener("formdata", (event) => {
    const columns = event.formData.getAll("c");
    if (columns.length) event.formData.set("c", columns.join(","));
  });
}

// On a narrow screen the tabs scroll: the one that is open is brought into sight.
function showCurrentTabs() {
  for (const tab of document.querySelectorAll(".tabs [aria-current]")) {
    const row = tab.closest(".tabs");
    row.scrollLeft += tab.getBoundingClientRect().left - row.getBoundingClientRect().left - (row.clientWidth - tab.offsetWidth) / 2;
  }
}

document.addEventListener("toggle", onToggle, true);
document.addEventListener("click", (event) => closeMenus(event.target));
document.addEventListener("click", onRowClick);
document.addEventListener("auxclick", onRowClick);
document.addEventListener("keydown", onKey);
addEventListener("scroll", (event) => {
  if (event.target instanceof Element && event.target.closest(".menu-pop")) return;
  for (const menu of document.querySelectorAll("details.row-actions[open]")) menu.open = false;
}, { capture: true, passive: true });

prepareDrawer();
rememberGroups();
prepareRail();
prepareLooks();
joinColumns();
showCurrentTabs();

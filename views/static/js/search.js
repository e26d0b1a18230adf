// Search over everything: what is found stands under the box while one types. Without this it is an ordinary form.

import { endWaiting, showWaiting } from "./waiting.js";

const WAIT = 150;
const form = document.querySelector("[data-search]");
const box = form.querySelector("input");
const pop = document.getElementById("search-pop");
const list = document.getElementById("search-found");
const status = form.querySelector("[data-search-status]");
let timer;
let asking;
let active = -1;

const options = () => [...list.querySelectorAll("[role=option]")];

function show(isOpen) {
  pop.hidden = !isOpen;
  box.setAttribute("aria-expanded", String(isOpen));
  if (!isOpen) mark(-1);
}

function mark(index) {
  active = index;
  options().forEach((option, place) => option.setAttribute("aria-selected", String(place === index)));
  const chosen = options()[index];
  if (!chosen) { box.removeAttribute("aria-activedescendant"); return; }
  box.setAttribute("aria-activedescendant", chosen.id);
  chosen.scrollIntoView({ block: "nearest" });
}

function say(text) {
  status.textContent = text;
  if (text) list.replaceChildren(Object.assign(document.createElement("p"), { className: "search-word", textContent: text }));
}

function draw(html) {
  list.innerHTML = html; // a page of our own, escaped by its template
  const found = options();
  found.forEach((option, place) => { option.id = `found-option-${place}`; });
  status.textContent = "";
  if (!found.length && !list.textContent.trim()) say(form.dataset.wordNone);
  show(true);
  mark(found.length ? 0 : -1);
}

async function ask(term) {
  asking?.abort();
  asking = new AbortController();
  showWaiting();
  const address = new URL(form.action);
  address.search = new URLSearchParams({ q: term, part: "1" });
  try {
    const answer = await fetch(address, { signal: asking.signal, credentials: "same-origin", redirect: "error" });
    if (!answer.ok) throw new Error(String(answer.status));
    draw(await answer.text());
    endWaiting();
  } catch (error) {
    if (error.name === "AbortError") return;
    endWaiting();
    say(form.dataset.wordFailed);
    show(true);
  }
}

function onType() {
  clearTimeout(timer);
  const term = box.value.trim();
  if (term.length < 2) { asking?.abort(); show(false); return; }
  timer = setTimeout(() => ask(term), WAIT);
}

function onKey(event) {
  const count = options().length;
  if (event.key === "Escape" && !pop.hidden) {
    event.preventDefault();
    event.stopPropagation();
    show(false);
  } else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && count) {
    event.preventDefault();
    if (pop.hidden) show(true);
    mark((active + (event.key === "ArrowDown" ? 1 : count - 1) + count) % count);
  } else if (event.key === "Enter" && !pop.hidden && active >= 0) {
    event.preventDefault();
    const address = options()[active].href;
    if (event.ctrlKey || event.metaKey) open(address, "_blank", "noopener");
    else location.assign(address);
  }
}

for (const [name, value] of [["role", "combobox"], ["aria-autocomplete", "list"], ["aria-controls", list.id], ["aria-expanded", "false"]]) box.setAttribute(name, value);
box.addEventListener("input", onType);
box.addEventListener("keydown", onKey);
box.addEventListener("focus", () => { if (options().length && box.value.trim().length > 1) show(true); });
form.addEventListener("focusout", (event) => { if (!form.contains(event.relatedTarget)) show(false); });
form.addEventListener("submit", () => { clearTimeout(timer); asking?.abort(); });

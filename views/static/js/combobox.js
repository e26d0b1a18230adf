// A searchable relation (see _macros/relation.html): type, choose from the list, or clear.

const WAIT = 200;

/** Turn the plain fields of `root` into a combobox. Calls `onchange` with the chosen option or null. */
export function combobox(root, onchange = () => {}) {
  if (root.dataset.ready) return;
  root.dataset.ready = "yes";
  const text = root.querySelector("[data-combo-text]");
  const value = root.querySelector("[data-combo-value]");
  const pop = root.querySelector("[data-combo-pop]");
  const list = pop.querySelector("[role=listbox]");
  const word = root.querySelector("[data-combo-word]");
  const status = root.querySelector("[data-combo-status]");
  const clear = root.querySelector("[data-combo-clear]");
  const opener = root.querySelector("[data-combo-open]");
  const refused = text.classList.contains("is-invalid");
  let chosen = { id: value.value, label: value.value && !refused ? text.value : "" };
  let options = [];
  let active = -1;
  let timer;
  let asked = 0;

  if (!refused) text.removeAttribute("name"); // only the id is sent from here on
  for (const [name, content] of [["role", "combobox"], ["aria-autocomplete", "list"], ["aria-controls", list.id], ["aria-expanded", "false"]]) {
    text.setAttribute(name, content);
  }
  clear.hidden = !value.value;

  function show(isOpen) {
    pop.hidden = !isOpen;
    text.setAttribute("aria-expanded", String(isOpen));
    if (!isOpen) { active = -1; text.removeAttribute("aria-activedescendant"); }
  }

  function say(message) {
    word.textContent = message;
    word.hidden = !message;
    status.textContent = message;
  }

  function mark(index) {
    active = index;
    [...list.children].forEach((node, i) => node.setAttribute("aria-selected", String(i === index)));
    if (index < 0) { text.removeAttribute("aria-activedescendant"); return; }
    text.setAttribute("aria-activedescendant", list.children[index].id);
    list.children[index].scrollIntoView({ block: "nearest" });
  }

  function choose(option) {
    chosen = option ?? { id: "", label: "" };
    value.value = chosen.id;
    text.value = chosen.label;
    text.removeAttribute("name");
    clear.hidden = !chosen.id;
    opener?.remove(); // it led to the record chosen before
    show(false);
    value.dispatchEvent(new Event("change", { bubbles: true }));
    onchange(option);
  }

  function draw(found, term) {
    options = found;
    list.replaceChildren(...found.map((option, index) => optionNode(option, term, `${list.id}-${index}`)));
    say("");
    if (!found.length) say(root.dataset.wordNone);
    else status.textContent = root.dataset.wordFound + found.length;
    mark(found.length ? 0 : -1);
    pop.scrollIntoView({ block: "nearest" });
  }

  async function ask(term) {
    const turn = ++asked;
    const late = setTimeout(() => say(root.dataset.wordSearching), 800);
    show(true);
    try {
      const url = new URL(root.dataset.optionsUrl, location.href);
      url.searchParams.set("q", term);
      const answer = await fetch(url, { headers: { Accept: "application/json" }, credentials: "same-origin" });
      if (!answer.ok) throw new Error(String(answer.status));
      const found = await answer.json();
      if (turn === asked) draw(found.results ?? found, term);
    } catch {
      if (turn === asked) { list.replaceChildren(); options = []; say(root.dataset.wordFailed); }
    } finally {
      clearTimeout(late);
    }
  }

  text.addEventListener("input", () => {
    // Nothing typed is lost: what was not chosen goes to the server as text, which resolves it or says why not.
    if (text.value.trim() && text.value !== chosen.label) text.name = `${root.dataset.name}-text`;
    else text.removeAttribute("name");
    // What is listed answers what was typed before: a quick Enter must not take it.
    options = [];
    mark(-1);
    clearTimeout(timer);
    timer = setTimeout(() => ask(text.value.trim()), WAIT);
  });
  text.addEventListener("click", () => { if (pop.hidden) { text.select(); ask(""); } });
  text.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (pop.hidden) ask(text.value === chosen.label ? "" : text.value.trim());
      else if (options.length) mark((active + (event.key === "ArrowDown" ? 1 : options.length - 1)) % options.length);
    } else if (event.key === "Enter" && !pop.hidden) {
      event.preventDefault();
      if (active >= 0) choose(options[active]);
    } else if (event.key === "Escape" && !pop.hidden) {
      event.preventDefault();
      event.stopPropagation();
      text.value = chosen.label;
      text.removeAttribute("name");
      show(false);
    }
  });
  list.addEventListener("mousedown", (event) => event.preventDefault());
  list.addEventListener("click", (event) => {
    const index = [...list.children].indexOf(event.target.closest("[role=option]"));
    if (index >= 0) choose(options[index]);
  });
  root.addEventListener("focusout", (event) => {
    if (root.contains(event.relatedTarget)) return;
    clearTimeout(timer);
    asked += 1;
    show(false);
    if (!text.value.trim() && chosen.id) choose(null);
  });
  clear.addEventListener("click", () => { choose(null); text.focus(); });
}

function optionNode(option, term, id) {
  const node = document.createElement("div");
  node.id = id;
  node.setAttribute("role", "option");
  const label = document.createElement("span");
  const at = term ? option.label.toLocaleLowerCase().indexOf(term.toLocaleLowerCase()) : -1;
  if (at >= 0) {
    const found = document.createElement("mark");
    found.textContent = option.label.slice(at, at + term.length);
    label.append(option.label.slice(0, at), found, option.label.slice(at + term.length));
  } else {
    label.textContent = option.label;
  }
  node.append(label);
  if (option.hint) {
    const hint = document.createElement("span");
    hint.className = "quiet push";
    hint.textContent = option.hint;
    node.append(hint);
  }
  return node;
}

/** Prepare every combobox inside `root`. */
export function prepareComboboxes(root = document) {
  for (const box of root.querySelectorAll("[data-combo]")) combobox(box);
}

// The ticket workspace: keys, drafts, the timer, and a queue that follows what others do.

const EVERY = 10_000;
const desk = document.querySelector("[data-tickets]");
const reply = document.querySelector("[data-reply]");
const hand = desk?.querySelector("[data-ticket-queue]").dataset.hand;
const rows = () => [...desk.querySelectorAll("[data-key-row]")];

function isTyping(target) {
  return target.closest?.("input, textarea, select, [contenteditable], dialog") != null;
}

function move(step) {
  const all = rows();
  if (!all.length) return;
  const at = all.findIndex((row) => row === document.activeElement);
  const from = at >= 0 ? at : all.findIndex((row) => row.hasAttribute("aria-current"));
  const next = all[Math.min(Math.max(from + step, 0), all.length - 1)];
  next.focus();
  next.scrollIntoView({ block: "nearest" });
}

// Ticks the row one is on, for a step with several.
function tick() {
  const row = document.activeElement?.closest("[data-key-row]") ?? desk.querySelector("[data-key-row][aria-current]");
  row?.parentElement.querySelector("[name=key]")?.click();
}

function write(kind) {
  if (!reply) return;
  reply.querySelector(`[name=kind][value=${kind}]`).checked = true;
  reply.querySelector("[data-draft]").focus();
}

const keys = {
  j: () => move(1),
  k: () => move(-1),
  r: () => write("answer"),
  n: () => write("note"),
  s: () => tick(),
  "?": () => document.querySelector("[data-keys]").showModal(),
};

function onKey(event) {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.closest?.("[data-reply]")) {
    event.preventDefault();
    reply.requestSubmit();
    return;
  }
  if (event.altKey || event.ctrlKey || event.metaKey || event.isComposing || isTyping(event.target)) return;
  const act = keys[event.key.toLowerCase()];
  if (!act) return;
  event.preventDefault();
  act();
}

// Words alone: spaces and line breaks are not what tells two texts apart.
const plain = (text) => text.replace(/\s+/g, " ").trim();

// What is being written outlives a closed tab, and a connection that broke while it was sent: it goes once it is there.
function keepDrafts() {
  if (!reply) return;
  const text = reply.querySelector("[data-draft]");
  const state = reply.querySelector("[data-draft-state]");
  const name = `draft.ticket.${reply.dataset.reply}`;
  try {
    const kept = localStorage.getItem(name);
    const said = [...document.querySelectorAll("[data-own-words]")].at(-1)?.textContent ?? "";
    if (kept && plain(kept) === plain(said)) localStorage.removeItem(name);
    else if (kept && !text.value) {
      text.value = kept;
      state.textContent = reply.dataset.wordDraft;
    }
  } catch { return; }
  text.addEventListener("input", () => {
    if (text.value) localStorage.setItem(name, text.value);
    else localStorage.removeItem(name);
    state.textContent = text.value ? reply.dataset.wordDraft : "";
  });
  let sending = false;
  reply.addEventListener("submit", (event) => {
    if (sending) event.preventDefault();
    sending = true;
  });
  addEventListener("pageshow", () => { sending = false; });
}

// How many are ticked is said beside the steps; one box ticks all that are shown.
function prepareTicks() {
  const boxes = [...desk.querySelectorAll("[data-bulk] [name=key]")];
  const all = desk.querySelector("[data-tick-all]");
  if (!all) return;
  all.hidden = false;
  const words = desk.querySelector("[data-ticked]");
  const count = () => {
    const ticked = boxes.filter((box) => box.checked).length;
    words.textContent = words.dataset.word.replace("{n}", ticked);
    all.querySelector("input").checked = ticked === boxes.length;
  };
  all.querySelector("input").addEventListener("change", (event) => {
    for (const box of boxes) box.checked = event.target.checked;
    count();
  });
  for (const box of boxes) box.addEventListener("change", count);
  count();
}

// The quick reply is put where one writes, its placeholders as they are: each ticket has its own words for them.
function prepareBulk() {
  const choose = document.querySelector("[data-bulk-reply]");
  choose?.addEventListener("change", () => {
    const text = choose.form.elements.body;
    if (choose.value) text.value = choose.selectedOptions[0].dataset.text;
    text.focus();
  });
}

// A quick reply is put where one writes; it is a text like any other from then on.
function prepareReplies() {
  const choose = reply?.querySelector("[data-replies]");
  if (!choose) return;
  choose.hidden = false;
  choose.addEventListener("change", () => {
    const text = reply.querySelector("[data-draft]");
    if (choose.value) text.setRangeText(choose.value, text.selectionStart, text.selectionEnd, "end");
    choose.value = "";
    text.dispatchEvent(new Event("input"));
    text.focus();
  });
}

function clockWords(seconds) {
  const part = (value) => String(Math.floor(value)).padStart(2, "0");
  return `${part(seconds / 3600)}:${part((seconds / 60) % 60)}:${part(seconds % 60)}`;
}

// Begun and stopped by hand; what it shows is put into the field, and only entering it counts.
function prepareTimer() {
  const timer = document.querySelector("[data-timer]");
  if (!timer) return;
  const name = `timer.ticket.${timer.dataset.timer}`;
  const value = timer.querySelector("[data-timer-value]");
  const toggle = timer.querySelector("[data-timer-toggle]");
  const field = document.querySelector("[data-timer-field]");
  const began = document.querySelector("[data-timer-began]");
  let since = null;
  try { since = Number(localStorage.getItem(name)) || null; } catch { return; }
  const show = () => {
    value.textContent = clockWords(since ? (Date.now() - since) / 1000 : 0);
    toggle.querySelector("i").className = `bi bi-${since ? "stop-fill" : "play-fill"}`;
  };
  toggle.addEventListener("click", () => {
    if (since) {
      const minutes = Math.max(1, Math.round((Date.now() - since) / 60_000));
      field.value = `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}`;
      const start = new Date(since);
      // Entered under today: yesterday evening's hour would be told of the wrong day.
      if (began && start.toDateString() === new Date().toDateString()) began.value = start.toTimeString().slice(0, 5);
      localStorage.removeItem(name);
      since = null;
      field.focus();
    } else {
      since = Date.now();
      localStorage.setItem(name, String(since));
    }
    show();
  });
  timer.hidden = false;
  show();
  setInterval(() => { if (since) show(); }, 1000);
}

async function refresh() {
  const answer = await fetch(desk.dataset.queue, { headers: { "X-Requested-With": "fetch" } });
  if (!answer.ok || answer.redirected) return;
  const words = await answer.text();
  readAt = Date.now();
  const old = desk.querySelector("[data-ticket-queue]");
  const on = document.activeElement;
  const focused = on?.dataset?.keyRow ? `[data-key-row="${on.dataset.keyRow}"]` : on?.matches?.("[data-bulk] [name=key]") ? `[name=key][value="${on.value}"]` : null;
  const scrolled = old.scrollTop;
  const ticked = [...old.querySelectorAll("[name=key]:checked")].map((box) => box.value);
  old.outerHTML = words;
  const place = desk.querySelector("[data-ticket-queue]");
  place.scrollTop = scrolled;
  for (const box of place.querySelectorAll("[name=key]")) box.checked = ticked.includes(box.value);
  prepareTicks();
  if (focused) place.querySelector(focused)?.focus();
  // Others may have changed: only where the ticket in hand has, is the page an old one.
  if (place.dataset.hand !== hand) document.querySelector("[data-changed]")?.removeAttribute("hidden");
}

// Words such as "in 20 minutes" grow old by themselves: a minute, where something is due within the hour.
let readAt = Date.now();
const growsOld = () => Date.now() - readAt > (desk.querySelector(".queue-row .due-soon") ? 60_000 : 300_000);

// A quiet answer is empty; only when something has changed, or its words are old, is the queue read again.
async function follow() {
  if (document.hidden) return;
  try {
    if (growsOld()) await refresh();
    const answer = await fetch(`${desk.dataset.poll}?since=${encodeURIComponent(desk.dataset.since)}`);
    if (answer.status !== 200) return;
    desk.dataset.since = (await answer.json()).since;
    await refresh();
  } catch { /* The next time will do. */ }
}

if (desk) {
  document.addEventListener("keydown", onKey);
  document.addEventListener("change", (event) => event.target.closest("[data-send-on-change]")?.requestSubmit());
  keepDrafts();
  prepareReplies();
  prepareTimer();
  prepareTicks();
  setInterval(follow, EVERY);
  document.addEventListener("visibilitychange", follow);
}
prepareBulk();

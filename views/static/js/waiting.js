// A bar on top tells that an answer is on its way: from when people begin to wonder until it is there.

const WONDER = 500;
const MOST = 30_000;
// A file leaves the page as it is, and nothing tells the page that it has come.
const FILE = /\.(csv|ics|pdf|xlsx|zip)$|\/file$/;
const MOST_FOR_FILE = 3_000;
const bar = document.querySelector("[data-waiting]");
let timer;

/** Begin to wait; the bar goes by itself after `most`, should nobody end it. */
export function showWaiting(most = MOST) {
  if (!bar) return; // an error page may have no frame
  clearTimeout(timer);
  timer = setTimeout(() => {
    bar.hidden = false;
    timer = setTimeout(endWaiting, most);
  }, WONDER);
}

export function endWaiting() {
  clearTimeout(timer);
  if (bar) bar.hidden = true;
}

function onLeaving() {
  const link = document.activeElement?.closest("a[href]");
  showWaiting(link && FILE.test(link.pathname) ? MOST_FOR_FILE : MOST);
}

addEventListener("beforeunload", onLeaving);
addEventListener("pageshow", endWaiting); // going back brings the page as it was left
// Whoever goes on with the page has stayed on it.
addEventListener("pointerdown", endWaiting);
addEventListener("keydown", endWaiting);

// What others work on changes by itself: the page is read again, and only what it says is put in place, so that nobody
// loses their place. Without scripts the page loads anew (see _look_again.html).
const wait = Number(document.querySelector("meta[name=look-again]")?.content) * 1000;
const waits = (page) => page.querySelector("meta[name=look-again]") !== null;

async function look() {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } }).catch(() => null);
  if (answer === null || !answer.ok) return setTimeout(look, wait); // it may be up again soon
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (answer.redirected || !waits(page)) return location.assign(answer.url); // it has come to its end
  const [here, there] = [document.querySelector("main"), page.querySelector("main")];
  const held = document.activeElement?.closest("main a[href]")?.getAttribute("href");
  if (here.innerHTML !== there.innerHTML) here.replaceChildren(...there.childNodes);
  if (held) [...here.querySelectorAll("a[href]")].find((link) => link.getAttribute("href") === held)?.focus();
  setTimeout(look, wait);
}

if (wait) setTimeout(look, wait);

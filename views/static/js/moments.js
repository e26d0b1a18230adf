// "Today at 15:25" means nothing on paper tomorrow: while a page is printed, its moments are dates.

const DATED = /\d{2}\/\d{2}\/\d{4}/;
const dates = new Intl.DateTimeFormat("it-IT", {
  timeZone: "Europe/Rome", day: "2-digit", month: "2-digit", year: "numeric", hour: "2-digit", minute: "2-digit",
});
const said = new Map();

addEventListener("beforeprint", () => {
  for (const moment of document.querySelectorAll("time[datetime*='T']")) {
    if (DATED.test(moment.textContent)) continue;
    said.set(moment, moment.textContent);
    moment.textContent = dates.format(new Date(moment.dateTime)).replace(",", "");
  }
});

addEventListener("afterprint", () => {
  for (const [moment, words] of said) moment.textContent = words;
  said.clear();
});

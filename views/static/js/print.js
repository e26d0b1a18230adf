// The page of a list that is there to be printed: it asks for a printer by itself.

document.querySelector("[data-print]")?.addEventListener("click", () => window.print());
if (document.readyState === "complete") window.print();
else window.addEventListener("load", () => window.print());

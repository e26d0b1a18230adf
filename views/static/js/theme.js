// Theme, density and the narrow menu, before the first paint: loaded in the head, so that nothing flashes.
(() => {
  const root = document.documentElement;
  const wanted = { theme: "auto", density: "comfortable", menu: "wide" };
  const dark = matchMedia("(prefers-color-scheme: dark)");

  function read(name) {
    try { return localStorage.getItem(name) ?? wanted[name]; } catch { return wanted[name]; }
  }

  function apply() {
    // In the client area the person's own choice comes with the page; on the desk the browser keeps it.
    const theme = root.dataset.theme ?? read("theme");
    root.dataset.bsTheme = theme === "auto" ? (dark.matches ? "dark" : "light") : theme;
    root.dataset.density = read("density");
    root.dataset.menu = read("menu");
  }

  root.classList.add("js");
  apply();
  dark.addEventListener("change", apply);
  addEventListener("storage", apply);
  window.looks = {
    get: read,
    set(name, value) {
      wanted[name] = value;
      try { localStorage.setItem(name, value); } catch { /* a private window: kept for this page only */ }
      apply();
    },
  };
})();

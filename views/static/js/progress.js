// A long step goes on by itself: the page asks for the next part as soon as it is shown.
const form = document.querySelector("[data-continue]");
if (form) setTimeout(() => form.requestSubmit(), 300);

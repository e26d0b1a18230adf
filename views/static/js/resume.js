// Back to the form whose session had ended: nobody need press a button for that.
document.querySelector("[data-resume]").requestSubmit();

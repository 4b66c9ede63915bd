"use strict";
(() => {
  const status = document.getElementById("status");

  function say(sentence) {
    status.textContent = sentence;
    window.setTimeout(() => { status.textContent = ""; }, 4000);
  }

  function select(source) {
    const range = document.createRange();
    range.selectNodeContents(source);
    const selection = window.getSelection();
    selection.removeAllRanges();
    selection.addRange(range);
  }

  // Browsers copy by themselves only where the connection is secure.
  for (const button of document.querySelectorAll("button[data-copies]")) {
    const source = document.getElementById(button.dataset.copies);
    button.hidden = false;
    button.addEventListener("click", () => {
      select(source);
      if (navigator.clipboard) {
        navigator.clipboard.writeText(source.textContent).then(
          () => say("Copied."),
          () => say("Selected: copy it with the keyboard."),
        );
      } else {
        say("Selected: copy it with the keyboard.");
      }
    });
  }

  // What only the browser knows: the address that it has asked for.
  const origin = document.getElementById("origin");
  if (origin && origin.dataset.origin) {
    const here = window.location.origin;
    const right = here === origin.dataset.origin.toLowerCase();
    origin.className = right ? "good" : "bad";
    origin.textContent = right
      ? "So does the address of this page in your browser."
      : "Your browser is at " + here + ": links, redirects and checks of the origin (CSRF) go wrong.";
    origin.hidden = false;
  }
})();

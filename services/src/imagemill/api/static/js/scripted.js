// Runs before anything is drawn, so that nothing flickers: what needs scripts is hidden without them, and the reverse.
document.documentElement.classList.add("scripted");

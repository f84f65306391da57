// Whoever has no mouse must reach, and scroll, what is wider than the screen.
addEventListener("load", () => {
  for (const box of document.querySelectorAll("pre, .output, .pst-scrollable-table-container, mjx-container")) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
  }
});

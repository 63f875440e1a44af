// What the pages cannot do without script and are better with: the search key, menus that close,
// and focus on the error summary. Everything else is HTML, CSS and htmx. Loaded with `defer`.
(function () {
  "use strict";

  function typing(target) {
    return target.closest("input, textarea, select, [contenteditable]") !== null;
  }

  function closeMenus(except) {
    document.querySelectorAll("details.bb-menu[open]").forEach(function (menu) {
      if (menu !== except) menu.open = false;
    });
  }

  document.addEventListener("keydown", function (event) {
    if (event.key === "Escape") {
      var open = event.target.closest("details.bb-menu[open]");
      closeMenus(null);
      if (open) open.querySelector("summary").focus();
      return;
    }
    // A single-key shortcut must not fire while somebody types or holds a modifier (WCAG 2.1.4),
    // and a profile can switch it off: then the field carries no aria-keyshortcuts.
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    var search = document.querySelector(".bb-search input[aria-keyshortcuts]");
    if (search && search.offsetParent !== null) {
      event.preventDefault();
      search.focus();
      search.select();
    }
  });

  document.addEventListener("click", function (event) {
    closeMenus(event.target.closest("details.bb-menu"));
  });

  // The tick in the table head ticks every row of its own form.
  document.addEventListener("change", function (event) {
    if (!event.target.matches("[data-tick-all]")) return;
    event.target.form.querySelectorAll("tbody input[type=checkbox]").forEach(function (box) {
      box.checked = event.target.checked;
    });
  });

  var summary = document.querySelector(".bb-errsum");
  if (summary) summary.focus();
})();

// vaedocs: copy a formula's LaTeX; sort and filter the ledger. Pages read the same without it.
(function () {
  "use strict";

  function latex(equation) {
    var note = equation.querySelector('annotation[encoding="application/x-tex"]');
    return note ? note.textContent.trim() : "";
  }

  function say(button, words) {
    var before = button.dataset.label || button.textContent;
    button.dataset.label = before;
    button.textContent = words;
    setTimeout(function () { button.textContent = before; }, 1600);
  }

  // Listening on the document survives pages that are swapped without a reload.
  document.addEventListener("click", function (event) {
    var button = event.target.closest(".vaedocs-copy");
    if (button) {
      var text = latex(button.closest(".vaedocs-equation"));
      navigator.clipboard.writeText(text).then(
        function () { say(button, button.dataset.done || "Copied"); },
        function () { say(button, "Not copied"); }
      );
      return;
    }
    var sorter = event.target.closest(".vaedocs-ledger th button");
    if (sorter) sort(sorter.closest("th"));
  });

  document.addEventListener("input", function (event) {
    var tools = event.target.closest(".vaedocs-ledger-tools");
    if (tools) filter(tools);
  });

  document.addEventListener("keydown", function (event) {
    var panel = event.key === "Escape" && event.target.closest(".vaedocs-verdict[open]");
    if (panel) {
      panel.open = false;
      panel.querySelector("summary").focus();
    }
  });

  function sort(head) {
    var table = head.closest("table");
    var column = Array.prototype.indexOf.call(head.parentNode.children, head);
    var down = head.getAttribute("aria-sort") === "ascending";
    table.querySelectorAll("th").forEach(function (th) { th.removeAttribute("aria-sort"); });
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    var rows = Array.from(table.tBodies[0].rows);
    rows.sort(function (a, b) {
      var x = key(a.cells[column]), y = key(b.cells[column]);
      var order = typeof x === "number" && typeof y === "number"
        ? x - y : String(x).localeCompare(String(y), undefined, { numeric: true });
      return down ? -order : order;
    });
    rows.forEach(function (row) { table.tBodies[0].appendChild(row); });
  }

  function key(cell) {
    var text = cell.dataset.key || cell.textContent.trim();
    return text !== "" && !isNaN(text) ? Number(text) : text;
  }

  function filter(tools) {
    var words = tools.querySelector("input").value.trim().toLowerCase().split(/\s+/);
    var verdict = tools.querySelector("select").value;
    var ledger = tools.parentNode.querySelector(".vaedocs-ledger");
    var shown = 0;
    Array.from(ledger.querySelectorAll("tbody tr")).forEach(function (row) {
      var text = row.textContent.toLowerCase();
      var keep = (!verdict || row.dataset.verdict === verdict) &&
        words.every(function (word) { return text.indexOf(word) >= 0; });
      row.hidden = !keep;
      shown += keep ? 1 : 0;
    });
    tools.querySelector("output").textContent = shown + " shown";
  }

  // What does not fit scrolls, and a key must reach it; what fits needs no place in the Tab order.
  var BOXES = ".vaedocs-scroll, .vaedocs-panel, .vaedocs-ledger, .vaedocs-graph, .md-typeset__scrollwrap, " +
    "article pre, article pre > code, .vaedocs-panel .katex, .jp-OutputArea-output";

  function settle() {
    document.querySelectorAll(BOXES).forEach(function (box) {
      var style = getComputedStyle(box);
      var wide = /auto|scroll/.test(style.overflowX) && box.scrollWidth > box.clientWidth + 1;
      var tall = /auto|scroll/.test(style.overflowY) && box.scrollHeight > box.clientHeight + 1;
      if (!wide && !tall) {
        box.removeAttribute("tabindex");
        return;
      }
      box.setAttribute("tabindex", "0");
      if (box.getAttribute("aria-label")) return;
      box.setAttribute("role", "group");
      box.setAttribute("aria-label", box.matches(".vaedocs-panel") ? "How it was checked, scrolls" :
        box.querySelector("table") ? "Table, scrolls" : box.closest("pre") ? "Code, scrolls" : "Scrolls");
    });
  }

  // Runs once at the start, and again when something opens or a theme wraps its tables.
  var watcher = typeof ResizeObserver === "function" ? new ResizeObserver(settle) : null;

  function open() {
    settle();
    var article = document.querySelector("article, main");
    if (watcher && article) {
      watcher.disconnect();
      watcher.observe(article);
    }
    var target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target && target.matches(".vaedocs-equation")) target.scrollIntoView();
  }

  if (typeof document$ !== "undefined") document$.subscribe(open);
  else if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", open);
  else open();
  window.addEventListener("resize", settle);

  // Once the page can be read, the rest of it is drawn too: for pictures of a whole page, and for
  // programs that look at it without scrolling.
  function draw() { document.documentElement.classList.add("vaedocs-drawn"); }
  function whenIdle() {
    if (window.requestIdleCallback) requestIdleCallback(draw, { timeout: 2000 });
    else setTimeout(draw, 500);
  }
  if (document.readyState === "complete") whenIdle();
  else window.addEventListener("load", whenIdle);
})();

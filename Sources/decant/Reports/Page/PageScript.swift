/// The page's script: tooltips, the choice of a heat map, sorting and filtering. It contains neither
/// `<` nor `&`, so that the page stays well-formed.
enum PageScript {
  static let markup: Markup = """
    "use strict";
    const root = document.documentElement;
    root.classList.add("js");
    const all = (selector, from = document) => Array.from(from.querySelectorAll(selector));

    // Tooltips: a chart has columns, and rows if it is one of histograms.
    const tip = document.getElementById("tip");
    const figure = value => value === 0 ? "0" : Number(value.toPrecision(3)).toString();
    const bits = new DataView(new ArrayBuffer(4));
    const edge = bin => { bits.setUint32(0, bin * 2097152); return bits.getFloat32(0); };

    // Where the four bins of an octave begin in it, and where the last one ends.
    const starts = [1, 1.25, 1.5, 1.75, 2].map(Math.log2);

    function setUp(chart) {
      const data = chart.dataset;
      const svg = chart.querySelector("svg");
      const cursor = chart.querySelector(".cursor");
      const left = Number(data.x), width = Number(data.w), count = Number(data.n);
      const ridges = all(".row", chart);
      const layers = data.layers.split(" ");
      const values = data.values ? data.values.split("|") : null;
      const rowCount = ridges.length ? layers.length : 1;
      const rowOf = row => ridges.find(ridge => Number(ridge.dataset.row) === row);
      let column = 0, row = 0;

      // Middle of a column, 0 to 1, and the column at a place from 0 to 1.
      const middle = at => ridges.length
        ? (Math.floor(at / 4) + (starts[at % 4] + starts[at % 4 + 1]) / 2) / (count / 4)
        : (at + 0.5) / count;
      const columnAt = place => {
        if (ridges.length === 0) return Math.floor(place * count);
        const octave = Math.floor(place * count / 4);
        const rest = place * count / 4 - octave;
        return 4 * octave + starts.filter(start => rest >= start).length - 1;
      };

      function words() {
        if (values) return data.name + ", " + data.along + " " + layers[column] + ": " + values[column];
        const bin = Number(data.bin) + column;
        const ridge = rowOf(row);
        const counts = ridge ? ridge.dataset.c.split(" ") : [];
        const held = parseInt(counts[bin - (ridge ? Number(ridge.dataset.first) : 0)] || "0", 36);
        return data.name + ", layer " + layers[row] + ": " + held.toLocaleString("en") +
          (held === 1 ? " value" : " values") + " from " + figure(edge(bin)) + " to " +
          figure(edge(bin + 1));
      }

      function show(x, y) {
        const place = left + width * middle(column);
        cursor.setAttribute("x1", place);
        cursor.setAttribute("x2", place);
        chart.classList.add("shown");
        ridges.forEach(ridge =>
          ridge.classList.toggle("now", Number(ridge.dataset.row) === row));
        tip.textContent = words();
        tip.hidden = false;
        const box = tip.getBoundingClientRect();
        const right = root.clientWidth - box.width - 8;
        tip.style.left = Math.max(8, Math.min(right, x + 14)) + "px";
        tip.style.top = (y - box.height - 14 > 4 ? y - box.height - 14 : y + 18) + "px";
      }

      function hide() {
        chart.classList.remove("shown");
        ridges.forEach(ridge => ridge.classList.remove("now"));
        tip.hidden = true;
      }

      const clamp = (value, end) => Math.max(0, Math.min(end - 1, value));

      chart.addEventListener("pointermove", event => {
        const box = svg.getBoundingClientRect();
        const scale = svg.viewBox.baseVal.width / box.width;
        const x = (event.clientX - box.left) * scale;
        const y = (event.clientY - box.top) * scale;
        column = clamp(columnAt((x - left) / width), count);
        row = ridges.length
          ? clamp(Math.floor((y - Number(data.y)) / Number(data.pitch)), rowCount) : 0;
        show(event.clientX, event.clientY);
      });
      chart.addEventListener("pointerleave", hide);
      chart.addEventListener("blur", hide);
      chart.addEventListener("keydown", event => {
        const step = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]};
        if (event.key === "Escape") return hide();
        const move = step[event.key];
        if (!move || (move[1] !== 0 ? ridges.length === 0 : false)) return;
        event.preventDefault();
        column = clamp(column + move[0], count);
        row = clamp(row + move[1], rowCount);
        const box = svg.getBoundingClientRect();
        const scale = box.width / svg.viewBox.baseVal.width;
        const y = ridges.length ? Number(data.y) + row * Number(data.pitch) : 20;
        show(box.left + (left + width * middle(column)) * scale, box.top + y * scale);
      });
    }
    all(".chart").forEach(setUp);

    // One of several parts at a time.
    all("[data-choice]").forEach(group => {
      const inputs = all("input", group);
      const parts = all('[data-of="' + group.dataset.choice + '"]');
      const choose = key => parts.forEach(part => {
        part.classList.toggle("left-out", part.dataset.key !== key);
      });
      inputs.forEach(input => input.addEventListener("change", () => choose(input.value)));
      inputs[0].checked = true;
      choose(inputs[0].value);
    });

    // Sorting: the first click puts the largest, or the first in the alphabet, on top.
    const number = text => {
      if (text === "exact" || text === "∞") return Infinity;
      if (text === "–") return NaN;
      return Number(text.replaceAll(",", "").replace(" %", "").replace("\\u003c ", ""));
    };
    all("table.sortable").forEach(table => {
      const body = table.tBodies[0];
      const heads = all("thead th", table);
      heads.forEach((head, column) => head.querySelector("button").addEventListener("click", () => {
        const rows = Array.from(body.rows);
        const keys = new Map(rows.map(row => [row, row.cells[column].textContent]));
        const isText = rows.some(row =>
          keys.get(row) === "–" ? false : Number.isNaN(number(keys.get(row))));
        const was = head.getAttribute("aria-sort");
        const order = was ? (was === "descending" ? "ascending" : "descending")
          : (isText ? "ascending" : "descending");
        const sign = order === "ascending" ? 1 : -1;
        heads.forEach(other => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", order);
        rows.sort((a, b) => {
          const x = keys.get(a), y = keys.get(b);
          // What has no figure stays at the end.
          if (x === "–" || y === "–") return (x === "–") - (y === "–");
          if (isText) return sign * x.localeCompare(y, "en", {numeric: true});
          const p = number(x), q = number(y);
          return p === q ? 0 : sign * (p > q ? 1 : -1);
        });
        body.append(...rows);
      }));
    });

    const filter = document.getElementById("filter");
    if (filter) filter.addEventListener("input", () => {
      const wanted = filter.value.toLowerCase().split(" ").filter(word => word);
      const rows = Array.from(document.getElementById("tensors").tBodies[0].rows);
      let found = 0;
      rows.forEach(row => {
        const text = (row.cells[0].textContent + " " + row.cells[1].textContent + " " +
          row.cells[3].textContent).toLowerCase();
        row.hidden = !wanted.every(word => text.includes(word));
        found += row.hidden ? 0 : 1;
      });
      document.getElementById("found").textContent =
        wanted.length ? found + " of " + rows.length : "";
    });

    // Paper shows everything that is folded away.
    let folded = [];
    addEventListener("beforeprint", () => {
      folded = all("details:not([open])");
      folded.forEach(part => { part.open = true; });
    });
    addEventListener("afterprint", () => folded.forEach(part => { part.open = false; }));

    """
}

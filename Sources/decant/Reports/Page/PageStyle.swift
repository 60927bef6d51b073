/// The page's style sheet.
///
/// Colours of the kinds are told apart by those who see colours differently, and the kinds carry
/// letters too. The scale of the heat maps follows magma (matplotlib, CC0): its lightness rises
/// steadily, and runs the other way on paper than in the dark.
enum PageStyle {
  static var markup: Markup { "\(colours)\(layout)\(charts)\(tables)\(paper)" }

  private static let colours: Markup = """

    :root { color-scheme: light dark;
      --paper: #fbfaf8; --card: #ffffff; --ink: #1d1f27; --soft: #5b6070; --rule: #dedbd4;
      --grid: #e8e5df; --link: #2352a1; --warn: #9c1c1c; --warn-back: #fdeeec;
      --w: #2465b0; --a: #b34a00; --k: #00735c; --v: #8d3796; --hot: #b3125f;
      --c0: #fcf6e6; --c1: #fee6c3; --c2: #feca90; --c3: #fdab74; --c4: #fb8d61; --c5: #ea6a68;
      --c6: #b73779; --c7: #822681; --c8: #51127c; --low-ink: #22160f; --high-ink: #ffffff; }
    .c0 { background: var(--c0); } .c1 { background: var(--c1); } .c2 { background: var(--c2); }
    .c3 { background: var(--c3); } .c4 { background: var(--c4); } .c5 { background: var(--c5); }
    .c6 { background: var(--c6); } .c7 { background: var(--c7); } .c8 { background: var(--c8); }
    .c0, .c1, .c2, .c3, .c4 { color: var(--low-ink); }
    .c5 { color: var(--middle-ink, #22160f); }
    .c6, .c7, .c8 { color: var(--high-ink); }
    @media screen and (prefers-color-scheme: dark) { :root {
      --paper: #12131a; --card: #1a1c25; --ink: #e9e8ee; --soft: #a5a8b8; --rule: #343746;
      --grid: #2a2d3a; --link: #94b8ff; --warn: #ffa49a; --warn-back: #35191b;
      --w: #6fabf5; --a: #f79a52; --k: #3fc7a4; --v: #d792e0; --hot: #ff86b8;
      --c0: #1f1b38; --c1: #321458; --c2: #51127c; --c3: #762181; --c4: #9c2e7f; --c5: #e0545f;
      --c6: #fc8961; --c7: #fec488; --c8: #fcfdbf; --low-ink: #f4eefc; --high-ink: #22160f;
      --middle-ink: #1a0b0a; } }

    """

  private static let layout: Markup = """
    * { box-sizing: border-box; }
    html { scroll-behavior: smooth; -webkit-text-size-adjust: 100%; }
    body { margin: 0; background: var(--paper); color: var(--ink);
      font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
    .page { max-width: 1240px; margin: 0 auto; padding: 28px 20px 60px; }
    a { color: var(--link); }
    :focus-visible { outline: 3px solid var(--link); outline-offset: 2px; border-radius: 3px; }
    .skip { position: absolute; left: -999em; }
    .skip:focus { left: 12px; top: 12px; z-index: 3; background: var(--card); padding: 8px 12px; }
    code { font: 0.9em ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
      overflow-wrap: anywhere; }
    .kicker { margin: 0; color: var(--soft); font-size: 12px; letter-spacing: 0.12em;
      text-transform: uppercase; }
    h1, h2 { font-family: Charter, "Iowan Old Style", Georgia, "Noto Serif", serif; line-height: 1.15;
      font-weight: 700; text-wrap: balance; }
    h1 { font-size: clamp(32px, 6vw, 52px); margin: 4px 0 2px; letter-spacing: -0.02em;
      overflow-wrap: anywhere; }
    .path { margin: 0 0 14px; color: var(--soft); }
    h2 { font-size: 28px; margin: 0; scroll-margin-top: 56px; }
    h3 { font-size: 17px; margin: 0 0 8px; }
    h4 { font-size: 15px; margin: 0 0 6px; }
    h4 small { display: block; color: var(--soft); font-weight: 400; font-size: 12.5px; }
    main > section, footer > section { margin-top: 52px; border-top: 2px solid var(--ink);
      padding-top: 14px; }
    .lead { margin: 4px 0 20px; color: var(--soft); font-size: 17px; max-width: 46em; }
    .note { color: var(--soft); font-size: 13px; max-width: 60em; }
    .curve { margin: 0 0 20px; max-width: 900px; }
    .curves { display: grid; gap: 20px 40px; margin-bottom: 8px;
      grid-template-columns: repeat(auto-fit, minmax(min(100%, 400px), 1fr)); }
    .curves .curve { max-width: 590px; }
    .why { white-space: normal; min-width: 26em; text-align: left; }
    .facts { list-style: none; display: flex; flex-wrap: wrap; gap: 6px 8px; margin: 0 0 20px;
      padding: 0; }
    .facts li { border: 1px solid var(--rule); border-radius: 99px; padding: 1px 11px;
      font-size: 13px; color: var(--soft); background: var(--card); }
    .facts b { color: var(--ink); }
    .tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(210px, 1fr)); gap: 14px;
      margin: 0; }
    .tile { background: var(--card); border: 1px solid var(--rule); border-radius: 10px;
      padding: 14px 16px; }
    .tile dt { font-size: 13px; color: var(--soft); }
    .tile dd { margin: 6px 0 0; font-size: 24px; font-weight: 650; line-height: 1.2; }
    .tile small { display: block; font-size: 13px; font-weight: 400; color: var(--soft);
      margin-top: 3px; line-height: 1.45; }
    .tile code { white-space: nowrap; }
    .tile small b { color: var(--ink); }
    .tile.empty { border-style: dashed; background: none; }
    .tile.empty dd { color: var(--soft); font-size: 18px; font-weight: 500; }
    .key { display: inline-block; min-width: 1.55em; padding: 0 0.3em; border-radius: 4px;
      text-align: center; font-weight: 700; font-size: 0.86em; color: var(--card);
      background: var(--ink); }
    .key.w { background: var(--w); } .key.a { background: var(--a); }
    .key.k, .key.c { background: var(--k); } .key.v, .key.r { background: var(--v); }
    nav { position: sticky; top: 0; z-index: 2; background: var(--paper); margin-top: 22px;
      border-bottom: 1px solid var(--rule); overflow-x: auto; }
    nav ul { list-style: none; display: flex; gap: 4px 20px; margin: 0; padding: 9px 0;
      white-space: nowrap; font-size: 13.5px; }
    @media (min-width: 760px) { nav ul { flex-wrap: wrap; } h2 { scroll-margin-top: 84px; } }
    nav a { text-decoration: none; }
    nav a:hover { text-decoration: underline; }
    .findings { list-style: none; padding: 0; margin: 0; display: grid; gap: 9px; }
    .findings > li { display: grid; grid-template-columns: 84px 1fr; gap: 12px; padding: 10px 14px;
      background: var(--card); border: 1px solid var(--rule); border-left: 4px solid var(--soft);
      border-radius: 6px; }
    .findings > li > div { min-width: 0; overflow-wrap: anywhere; }
    .findings ul { margin: 6px 0 0; padding-left: 18px; }
    .level { font-size: 12px; line-height: 22px; text-transform: uppercase; letter-spacing: 0.05em;
      color: var(--soft); }
    .findings .notice { border-left-color: var(--a); }
    .findings .sound { border-left-color: var(--k); }
    .findings .advice { border-left-color: var(--w); }
    .findings .warning { border-left-color: var(--warn); background: var(--warn-back); }
    .findings .warning .level { color: var(--warn); }
    .definitions { display: grid; grid-template-columns: repeat(auto-fit, minmax(290px, 1fr));
      gap: 14px 30px; font-size: 13.5px; }
    .definitions dt { font-weight: 650; }
    .definitions dd { margin: 2px 0 0; color: var(--soft); }
    pre { margin: 8px 0 0; padding: 9px 12px; background: var(--card); border: 1px solid var(--rule);
      border-radius: 6px; white-space: pre-wrap; overflow-wrap: anywhere; font-size: 14px; }
    .lines { margin: 0; padding-left: 18px; max-width: 62em; overflow-wrap: anywhere; }
    .lines li { margin-bottom: 4px; }
    .words td, .words thead th { text-align: left; }
    .asked { margin-top: 14px; }
    .asked td { text-align: left; white-space: normal; overflow-wrap: anywhere; }
    .asked th { text-align: left; }
    footer > .note { margin-top: 40px; }
    .origin dd { overflow-wrap: anywhere; }
    details { margin-top: 12px; }
    summary { cursor: pointer; color: var(--link); width: fit-content; }
    @media (max-width: 600px) { .page { padding: 18px 14px 40px; }
      .findings > li { grid-template-columns: 1fr; gap: 0; } h2 { font-size: 24px; }
      .lead { font-size: 15.5px; } }
    @media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; }
      * { transition: none !important; animation: none !important; } }

    """

  private static let charts: Markup = """
    figure { margin: 0; min-width: 0; }
    figcaption { font-size: 13px; margin-bottom: 4px; line-height: 1.4; }
    svg { display: block; width: 100%; height: auto; overflow: visible; }
    .panels { display: grid; gap: 20px 22px; grid-template-columns: repeat(3, minmax(0, 1fr)); }
    .panel { max-width: 360px; }
    .panels.n2 { grid-auto-flow: column; grid-template-rows: auto auto; }
    .panels.n4 { grid-template-columns: repeat(4, minmax(0, 1fr)); }
    .panels.contrast { grid-template-columns: repeat(auto-fit, minmax(min(100%, 280px), 360px)); }
    .ridges { display: grid; gap: 24px 22px;
      grid-template-columns: repeat(auto-fit, minmax(min(100%, 262px), 1fr)); }
    .ridges.n1 { max-width: 620px; }
    @media (max-width: 760px) { .panels, .panels.n2, .panels.n4 { grid-auto-flow: row;
      grid-template-rows: none; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 18px 12px; }
      .panels.n1, .panels.contrast { grid-template-columns: 1fr; }
      .panels figcaption b { display: none; }
      .panels.n1 figcaption b, .panels.contrast figcaption b { display: inline; } }
    .w { --line: var(--w); } .a { --line: var(--a); } .k { --line: var(--k); } .v { --line: var(--v); }
    .c { --line: var(--k); } .r { --line: var(--v); }
    .m0 { --line: var(--w); } .m1 { --line: var(--a); } .m2 { --line: var(--k); }
    .m3 { --line: var(--v); } .m4 { --line: var(--hot); } .m5 { --line: var(--soft); }
    .line.m1 { stroke-dasharray: 7 3; } .line.m2 { stroke-dasharray: 2 3; }
    .line.m3 { stroke-dasharray: 8 3 2 3; } .line.m4 { stroke-dasharray: 12 4; }
    .line.m5 { stroke-dasharray: 1 4; }
    .grid { stroke: var(--grid); stroke-width: 1; }
    .tick { fill: var(--soft); font-size: 11px; }
    .axis-title { fill: var(--soft); font-size: 12px; }
    .power { font-size: 8px; }
    .line { fill: none; stroke: var(--line); stroke-width: 1.6; stroke-linejoin: round; }
    .dots { fill: none; stroke: var(--line); stroke-width: 5; stroke-linecap: round; }
    .dots.fine { stroke-width: 2.8; }
    .line.token { stroke-dasharray: 4 3; }
    .dots.token { stroke-linecap: square; stroke-width: 4; }
    .dots.token.fine { display: none; }
    .ring { fill: none; stroke: var(--hot); stroke-width: 1.8; }
    .cursor { stroke: var(--ink); stroke-width: 0.8; visibility: hidden; pointer-events: none; }
    .shown .cursor { visibility: visible; }
    .row path { fill: var(--line); stroke: var(--paper); stroke-width: 0.7; }
    .row circle { fill: var(--line); stroke: var(--paper); stroke-width: 0.6; }
    .row.hot path, .row.hot circle { fill: var(--hot); }
    .row.now path { stroke: var(--ink); }
    .cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 290px), 1fr));
      gap: 16px; }
    .card { background: var(--card); border: 1px solid var(--rule); border-radius: 10px;
      padding: 12px 14px; }
    .rasters { display: grid; gap: 18px; grid-template-columns: 1fr; }
    .raster-pair > div { display: grid; gap: 14px 24px;
      grid-template-columns: repeat(auto-fit, minmax(min(100%, 340px), 1fr)); }
    .raster-pair h3 small { font-weight: 400; color: var(--soft); font-size: 12.5px; }
    .raster { height: 220px; shape-rendering: crispEdges; border: 1px solid var(--rule); }
    .raster path { fill: none; stroke-width: 1.02; }
    .raster .ground { fill: var(--c0); }
    .s1 { stroke: var(--c1); } .s2 { stroke: var(--c2); } .s3 { stroke: var(--c3); }
    .s4 { stroke: var(--c4); } .s5 { stroke: var(--c5); } .s6 { stroke: var(--c6); }
    .s7 { stroke: var(--c7); } .s8 { stroke: var(--c8); }
    .bars, .bar, .mark { fill: var(--line); }
    .bar.still { fill: var(--soft); }
    .mark { stroke: var(--line); stroke-width: 1.4; }
    .mark.hollow { fill: var(--paper); }
    .axis { stroke: var(--soft); stroke-width: 1; }
    .error { stroke: var(--soft); stroke-width: 1.4; }
    .limit { stroke: var(--hot); stroke-width: 1.4; stroke-dasharray: 4 3; }
    .swatch { display: inline-block; width: auto; height: 0.75em; }
    .median { stroke: var(--ink); stroke-width: 1; stroke-dasharray: 3 3; }
    .named { font-size: 12.5px; margin: 8px 0 0; color: var(--soft); }
    .named span { white-space: nowrap; }
    .named b { color: var(--ink); }
    #tip { position: fixed; z-index: 4; max-width: calc(100vw - 16px); padding: 5px 10px;
      background: var(--ink); color: var(--paper); border-radius: 5px; font-size: 13px;
      pointer-events: none; }

    """

  private static let tables: Markup = """
    .scroll { overflow-x: auto; position: relative; }
    .tall { max-height: 560px; overflow-y: auto; }
    table { border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums; }
    caption { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);
      white-space: nowrap; }
    th, td { padding: 3px 9px; text-align: right; white-space: nowrap; }
    tbody tr { border-top: 1px solid var(--grid); }
    thead th { vertical-align: bottom; font-weight: 650; white-space: normal; }
    thead th[colspan] { text-align: center; }
    .tall thead { position: sticky; top: 0; background: var(--paper); z-index: 1;
      box-shadow: inset 0 -1px var(--rule); }
    tbody th { font-weight: 400; color: var(--soft); }
    .total th, .total td { font-weight: 650; color: var(--ink); background: var(--card); }
    .maps { display: flex; flex-wrap: wrap; gap: 28px 24px; align-items: flex-start; }
    .map { min-width: 0; max-width: min(100%, 600px); flex: 1 1 auto; }
    .legend { list-style: none; display: flex; margin: 0 0 10px; padding: 0; font-size: 10.5px; }
    .legend li { flex: 1 1 0; min-width: 0; padding: 2px 0; text-align: center; }
    .heat { width: 100%; border-spacing: 2px; border-collapse: separate; font-size: 11.5px; }
    .heat tbody tr { border: 0; }
    .heat td { padding: 2px 1px; text-align: center; border-radius: 2px; }
    .heat th { padding: 2px 4px; }
    .heat thead th { text-align: center; white-space: normal; font-size: 11px; line-height: 1.2;
      font-weight: 550; }
    .heat .none { color: var(--soft); background: repeating-linear-gradient(-45deg, transparent 0 4px,
      var(--grid) 4px 5px); }
    .outside { margin-top: 10px; }
    .outside thead { position: absolute; clip-path: inset(50%); }
    .outside th { text-align: left; width: 40%; }
    .choice { border: 0; padding: 0; margin: 0 0 16px; display: flex; flex-wrap: wrap; gap: 6px 16px; }
    .choice legend { float: left; color: var(--soft); padding: 0 6px 0 0; }
    .choice input { accent-color: var(--link); }
    html:not(.js) .controls { display: none; }
    .trips { display: grid; gap: 28px 26px;
      grid-template-columns: repeat(auto-fit, minmax(min(100%, 480px), 1fr)); }
    .trip { min-width: 0; }
    .sortable :is(th, td):is(:nth-child(1), :nth-child(2), :nth-child(4), :nth-child(6)) {
      text-align: left; }
    .sortable { min-width: 100%; }
    .layers :is(th, td):is(:nth-child(4), :nth-child(6)) { text-align: right; }
    .choices :is(th, td):is(:nth-child(2), :nth-child(4), :nth-child(6)) { text-align: right; }
    .choices :is(th, td):nth-child(8) { text-align: left; }
    .kind { margin-top: 20px; }
    .points :is(th, td):is(:nth-child(4), :nth-child(6)) { text-align: right; }
    .points :is(th, td):nth-child(5) { text-align: left; }
    .sortable:is(.points, .layers) tbody th { min-width: 0; }
    .sortable tbody th { font: 12px ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono",
      monospace; color: var(--ink); max-width: 420px; overflow-wrap: anywhere; white-space: normal;
      min-width: 230px; }
    .sortable td { padding: 3px 7px; }
    .sortable thead th { padding: 0; white-space: normal; }
    .sortable thead button { font: inherit; color: inherit; background: none; border: 0; width: 100%;
      padding: 6px 7px; text-align: inherit; cursor: pointer; }
    .sortable thead button:hover { color: var(--link); }
    .sortable button::after { content: "\u{a0}↕"; color: var(--soft); }
    [aria-sort="descending"] button::after { content: "\u{a0}↓"; color: var(--ink); }
    [aria-sort="ascending"] button::after { content: "\u{a0}↑"; color: var(--ink); }
    .sortable strong { color: var(--warn); }
    #filter { font: inherit; color: inherit; background: var(--card); padding: 4px 9px;
      border: 1px solid var(--soft); border-radius: 5px; width: min(100%, 300px); }
    @media screen { .left-out { display: none; } }

    """

  private static let paper: Markup = """
    @media print { @page { margin: 14mm; }
      body { font-size: 10pt; background: #ffffff; print-color-adjust: exact;
        -webkit-print-color-adjust: exact; }
      .page { max-width: none; padding: 0; }
      nav, .skip, .controls, #tip, summary { display: none !important; }
      .scroll, .tall { overflow: visible; max-height: none; }
      .tall thead { position: static; }
      table { font-size: 7pt; }
      th, td { padding: 1px 3px; }
      thead th { white-space: normal; }
      .sortable button::after { content: ""; }
      .sortable th, .sortable td { padding: 1px 3px; font-size: 6.5pt; white-space: normal; }
      .sortable tbody th { font-size: 6.5pt; min-width: 0; }
      .sortable thead button { padding: 1px; white-space: normal; }
      h2, h3, h4, .lead { break-after: avoid; }
      .lead { break-inside: avoid; }
      :focus-visible { outline: none; }
      figure, tr, .tile, .findings > li, .definitions > div { break-inside: avoid; }
      .map { flex: 1 1 30%; } .heat { font-size: 7.5pt; } .legend { font-size: 6.5pt; }
      main > section { margin-top: 26px; } }
    """
}

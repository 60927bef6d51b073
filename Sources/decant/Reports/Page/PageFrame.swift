/// What every page has: a head with its styles, a list of its sections, and the script.
///
/// A page needs nothing else, and asks the network for nothing. Everything but sorting, filtering and
/// tooltips works without the script.
struct PageFrame {
  struct Section {
    let id: String
    let title: String
    let lead: Markup
    let body: Markup
  }

  let title: String
  let header: Markup
  let sections: [Section]
  let footer: Markup
  let origin: PageOrigin

  var html: String {
    let page: Markup = """
      <!DOCTYPE html>
      <html lang="en" xmlns="http://www.w3.org/1999/xhtml">
      <head><meta charset="utf-8"/>
      <meta name="viewport" content="width=device-width, initial-scale=1"/>
      <meta name="color-scheme" content="light dark"/>
      <meta http-equiv="Content-Security-Policy" content="default-src 'none'; \
      style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"/>
      <link rel="icon" href="data:,"/>
      <title>\(title)</title>
      <style>\(PageStyle.markup)</style></head>
      <body><a class="skip" href="#main">Skip to the figures</a>
      <div class="page">\(header)\
      <nav aria-label="Sections"><ul>\(sections.map(link).joined())</ul></nav>
      <main id="main">\(sections.map(section).joined())</main>
      <footer>\(footer)\(origin.markup)</footer></div>
      <div id="tip" role="status" hidden="hidden"></div>
      <script>\(PageScript.markup)</script></body></html>

      """
    return page.text
  }

  private func link(_ section: Section) -> Markup {
    "<li><a href=\"#\(section.id)\">\(section.title)</a></li>"
  }

  private func section(_ section: Section) -> Markup {
    """
    <section aria-labelledby="\(section.id)"><h2 id="\(section.id)">\(section.title)</h2>
    <p class="lead">\(section.lead)</p>
    \(section.body)</section>

    """
  }
}

def page_of(rows): return ""

import Foundation

#if canImport(FoundationXML)
  import FoundationXML
#endif

/// A page as the system's XML parser reads it.
final class PageReader: NSObject, XMLParserDelegate {
  struct Element {
    let name: String
    let attributes: [String: String]
    /// Of the element and all within it.
    var text = ""
    /// Index of the element around it.
    let parent: Int?
  }

  private(set) var elements: [Element] = []
  private var open: [Int] = []
  /// Whether the page is well-formed.
  private(set) var isSound = false

  init(_ html: String) {
    super.init()
    let parser = XMLParser(data: Data(html.utf8))
    parser.delegate = self
    isSound = parser.parse()
  }

  func parser(
    _ parser: XMLParser, didStartElement name: String, namespaceURI: String?,
    qualifiedName: String?, attributes: [String: String]
  ) {
    elements.append(Element(name: name, attributes: attributes, parent: open.last))
    open.append(elements.count - 1)
  }

  func parser(
    _ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?
  ) {
    open.removeLast()
  }

  func parser(_ parser: XMLParser, foundCharacters text: String) {
    for index in open { elements[index].text += text }
  }

  func all(_ name: String) -> [Element] { elements.filter { $0.name == name } }

  /// Elements of a name inside the one with that identifier.
  func all(_ name: String, inside id: String) -> [Element] {
    elements.filter { element in
      guard element.name == name else { return false }
      var parent = element.parent
      while let index = parent {
        if elements[index].attributes["id"] == id { return true }
        parent = elements[index].parent
      }
      return false
    }
  }
}

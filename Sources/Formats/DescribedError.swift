/// An error that can be shown to a person: what went wrong and where, and what to do about it.
///
/// `message` names the file and, where there is one, the tensor, the rule and the numbers.
/// `hint` is one sentence of advice, or `nil` where there is none worth giving.
package protocol DescribedError: Error, Sendable {
  var message: String { get }
  var hint: String? { get }
}

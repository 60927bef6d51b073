/// What to do about NaN and infinities among weights.
package enum NonFinitePolicy: String, Sendable {
  case error
  case zero
}

import Testing

@testable import Model

@Suite struct TensorNameTests {
  @Test(arguments: [("2147483647", 2_147_483_647), ("2147483648", nil), ("0", 0)])
  func aLayerIsBelowTwoToThe31(_ digits: String, _ layer: Int?) {
    #expect(TensorName("model.layers.\(digits).mlp.up_proj.weight").layer == layer)
  }
}

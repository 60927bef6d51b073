/// Writes the checkpoint of a tiny llama: enough for what a program does with files, where the numbers
/// do not matter.
func writeTinyModel(to directory: String, in folder: Folder) throws {
  try folder.makeFolder(directory)
  var noise = Noise(seed: 1)
  let shapes = [
    ("model.embed_tokens.weight", [64, 64]), ("model.layers.0.mlp.down_proj.weight", [64, 96]),
    ("model.layers.0.mlp.up_proj.weight", [96, 64]), ("model.norm.weight", [64]),
  ]
  try writeSafetensors(
    shapes.map { name, shape in
      TestTensor(f32: name, shape, (0..<shape.reduce(1, *)).map { _ in Float(noise.bell()) })
    }, to: folder.path(directory + "/model.safetensors"))
  try folder.write(#"{"model_type": "llama"}"#, to: directory + "/config.json")
  try folder.write(#"{"vocabulary": 64}"#, to: directory + "/tokenizer.json")
}

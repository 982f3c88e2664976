from prnn_cli.errors import first_line, is_out_of_memory


def test_the_first_line_of_an_error_without_text_is_its_kind() -> None:
    assert first_line(EOFError()) == "EOFError"
    assert first_line(ValueError("\n no such row\nand more")) == "no such row"


def test_torch_says_in_a_runtime_error_that_memory_ran_out() -> None:
    assert is_out_of_memory(MemoryError())
    assert is_out_of_memory(RuntimeError("CUDA out of memory. Tried to allocate 1 GiB"))
    assert not is_out_of_memory(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    assert not is_out_of_memory(ValueError("out of memory"))

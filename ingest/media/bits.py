"""Reading bits and Exp-Golomb codes (H.264 9.1) from a parameter set."""

from __future__ import annotations


class BitReader:
    """Reads from the front; raises ValueError past the end."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "big")
        self._left = len(data) * 8

    def bits(self, count: int) -> int:
        self._left -= count
        if self._left < 0:
            raise ValueError("the parameter set is too short")
        return self._value >> self._left & (1 << count) - 1

    def flag(self) -> bool:
        return self.bits(1) == 1

    def unsigned(self) -> int:
        """ue(v)."""
        zeros = 0
        while not self.bits(1):
            zeros += 1
            if zeros > 32:
                raise ValueError("an Exp-Golomb code is too long")
        return (1 << zeros) - 1 + self.bits(zeros)

    def signed(self) -> int:
        """se(v)."""
        code = self.unsigned()
        return (code + 1) // 2 if code & 1 else -(code // 2)


def without_emulation_prevention(nal: bytes) -> bytes:
    """The RBSP: each 00 00 03 is 00 00 (H.264 7.4.1)."""
    return nal.replace(b"\x00\x00\x03", b"\x00\x00")

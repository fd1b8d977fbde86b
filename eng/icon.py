#!/usr/bin/env python3
"""Draws the packages' icon, eng/icon.svg and eng/icon.png, from one list of shapes: eng/icon.py."""
import math
import pathlib
import struct
import zlib

SIZE, SAMPLES = 128, 4  # pixels of a side; samples of a pixel's side
BACKGROUND, LINK, TEAM, AGENTS = "#14213d", "#8d99ae", "#ffffff", ["#fca311", "#2ec4b6", "#e63981"]

# Three agents around the value that they share.
CENTER = (64, 64)
PLACES = [(64 + 36 * math.sin(2 * math.pi * i / 3), 66 - 36 * math.cos(2 * math.pi * i / 3)) for i in range(3)]
SHAPES = [("square", 0, 0, SIZE, 24, BACKGROUND)]
SHAPES += [("line", *CENTER, x, y, 6, LINK) for x, y in PLACES]
SHAPES += [("disk", *CENTER, 11, TEAM)]
SHAPES += [("disk", x, y, 17, color) for (x, y), color in zip(PLACES, AGENTS)]


def covers(shape, x, y):
    kind, *numbers, _ = shape
    if kind == "disk":
        cx, cy, radius = numbers
        return math.hypot(x - cx, y - cy) <= radius
    if kind == "line":
        x1, y1, x2, y2, width = numbers
        t = ((x - x1) * (x2 - x1) + (y - y1) * (y2 - y1)) / ((x2 - x1) ** 2 + (y2 - y1) ** 2)
        t = min(1, max(0, t))
        return math.hypot(x - x1 - t * (x2 - x1), y - y1 - t * (y2 - y1)) <= width / 2
    left, top, side, radius = numbers
    half = side / 2 - radius
    dx, dy = max(0, abs(x - left - side / 2) - half), max(0, abs(y - top - side / 2) - half)
    return math.hypot(dx, dy) <= radius


def element(shape):
    kind, *numbers, color = shape
    n = [f"{number:.4g}" for number in numbers]
    if kind == "disk":
        return f'<circle cx="{n[0]}" cy="{n[1]}" r="{n[2]}" fill="{color}"/>'
    if kind == "line":
        return f'<path d="M{n[0]} {n[1]}L{n[2]} {n[3]}" stroke="{color}" stroke-width="{n[4]}" stroke-linecap="round"/>'
    return f'<rect x="{n[0]}" y="{n[1]}" width="{n[2]}" height="{n[2]}" rx="{n[3]}" fill="{color}"/>'


def pixel(column, row):
    """The mean of the samples, as RGBA: color weighted by coverage, and coverage."""
    total, covered = [0, 0, 0], 0
    for j in range(SAMPLES):
        for i in range(SAMPLES):
            x, y = column + (i + 0.5) / SAMPLES, row + (j + 0.5) / SAMPLES
            top = next((shape for shape in reversed(SHAPES) if covers(shape, x, y)), None)
            if top:
                covered += 1
                total = [sum + part for sum, part in zip(total, bytes.fromhex(top[-1][1:]))]
    return bytes([*(round(sum / max(1, covered)) for sum in total), round(255 * covered / SAMPLES**2)])


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


folder = pathlib.Path(__file__).parent
elements = "\n".join("  " + element(shape) for shape in SHAPES)
(folder / "icon.svg").write_text(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIZE} {SIZE}">\n{elements}\n</svg>\n')
rows = b"".join(b"\0" + b"".join(pixel(column, row) for column in range(SIZE)) for row in range(SIZE))
header = struct.pack(">IIBBBBB", SIZE, SIZE, 8, 6, 0, 0, 0)
(folder / "icon.png").write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b""))

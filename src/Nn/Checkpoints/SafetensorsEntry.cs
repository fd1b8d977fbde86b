using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Marl.Native.Nn;

/// <summary>
/// A named array of a safetensors file, row-major, with any number of axes: F32 (float), F64 (double), I32 (int), I64 (long), U64 (ulong), U8 (byte) or BOOL
/// (bool).
/// </summary>
public sealed class SafetensorsEntry
{
    private readonly int[] shape;

    private SafetensorsEntry(string name, string type, int[] shape, Array values)
        => (Name, Type, this.shape, Values) = (name, type, shape, values);

    /// <summary>The name.</summary>
    public string Name { get; }

    /// <summary>The type, as the format names it: "F32", "I64", ..</summary>
    public string Type { get; }

    /// <summary>The lengths of the axes; empty for a scalar.</summary>
    public ReadOnlySpan<int> Shape => shape;

    /// <summary>The elements, an array of the type.</summary>
    internal Array Values { get; }

    /// <summary>The size in bytes.</summary>
    internal long Size => Values.LongLength * ElementSize;

    /// <summary>The size of one element in bytes.</summary>
    internal int ElementSize => SizeOf(Type);

    /// <summary>Creates an entry that holds an array, without a copy.</summary>
    /// <exception cref="ArgumentException">The element counts differ, or the format has no such type.</exception>
    public static SafetensorsEntry Of<T>(string name, ReadOnlySpan<int> shape, T[] values) where T : unmanaged
    {
        long count = 1;
        foreach (int length in shape)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(length, nameof(shape));
            count = checked(count * length);
        }
        return count == values.Length ? new(name, TypeOf<T>(), shape.ToArray(), values)
            : throw new ArgumentException($"entry '{name}': {values.Length} values, but a shape of {count} elements");
    }

    /// <summary>Returns the elements if they are of type T.</summary>
    public bool TryGet<T>(out T[] values) where T : unmanaged
    {
        bool fits = Type == TypeOf<T>();
        values = fits ? (T[])Values : [];
        return fits;
    }

    /// <summary>Formats the entry as "weight: F32 [3, 2]".</summary>
    public override string ToString() => $"{Name}: {Type} [{string.Join(", ", shape)}]";

    /// <summary>Creates an entry of zeros, to be read into.</summary>
    internal static SafetensorsEntry Allocate(string name, string type, int[] shape, int count)
        => new(name, type, shape, type switch
        {
            "F32" => new float[count],
            "F64" => new double[count],
            "I32" => new int[count],
            "I64" => new long[count],
            "U64" => new ulong[count],
            "U8" => new byte[count],
            "BOOL" => new bool[count],
            _ => throw new ArgumentException($"unknown type '{type}'"),
        });

    /// <summary>The size of one element of a type in bytes; 0 if the type is unknown.</summary>
    internal static int SizeOf(string type) => type switch
    {
        "F64" or "I64" or "U64" => 8,
        "F32" or "I32" => 4,
        "U8" or "BOOL" => 1,
        _ => 0,
    };

    /// <summary>The format's name of a type.</summary>
    internal static string TypeOf<T>()
        => typeof(T) == typeof(float) ? "F32" : typeof(T) == typeof(double) ? "F64" : typeof(T) == typeof(int) ? "I32"
        : typeof(T) == typeof(long) ? "I64" : typeof(T) == typeof(ulong) ? "U64" : typeof(T) == typeof(byte) ? "U8"
        : typeof(T) == typeof(bool) ? "BOOL" : throw new ArgumentException($"safetensors: the format has no type for {typeof(T)}");

    /// <summary>Calls <paramref name="use"/> with consecutive parts of the bytes: a span is limited to 2 GiB, an array is not.</summary>
    internal void ForBytes(Action<Span<byte>> use)
    {
        const int MaxPart = 1 << 26;
        ref byte first = ref MemoryMarshal.GetArrayDataReference(Values);
        for (long start = 0; start < Size; start += MaxPart)
        {
            use(MemoryMarshal.CreateSpan(ref Unsafe.AddByteOffset(ref first, (nint)start), (int)Math.Min(MaxPart, Size - start)));
        }
    }
}

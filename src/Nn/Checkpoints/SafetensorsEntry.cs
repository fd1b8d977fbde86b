using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Marl.Native.Nn;

/// <summary>A named array of a safetensors file: F32 (float), F64 (double), I32 (int), I64 (long), U64 (ulong), U8 (byte) or
/// BOOL (bool), row-major, with any number of axes.</summary>
public sealed class SafetensorsEntry
{
    private readonly int[] shape;

    private SafetensorsEntry(string name, string type, int[] shape, Array values)
        => (Name, Type, this.shape, Values) = (name, type, shape, values);

    /// <summary>Its name in the file.</summary>
    public string Name { get; }

    /// <summary>The format's name of its type: "F32", "I64", ..</summary>
    public string Type { get; }

    /// <summary>The lengths of its axes; a scalar has none.</summary>
    public ReadOnlySpan<int> Shape => shape;

    /// <summary>The numbers: a T[] of the type.</summary>
    internal Array Values { get; }

    /// <summary>Length in bytes.</summary>
    internal long Size => Values.LongLength * ElementSize;

    /// <summary>Bytes of one number.</summary>
    internal int ElementSize => SizeOf(Type);

    /// <summary>An entry to be written; keeps the array, without a copy.</summary>
    /// <exception cref="ArgumentException">the count does not fit the shape, or there is no such type in the format.</exception>
    public static SafetensorsEntry Of<T>(string name, ReadOnlySpan<int> shape, T[] values) where T : unmanaged
    {
        long count = 1;
        foreach (int length in shape)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(length, nameof(shape));
            count = checked(count * length);
        }
        return count == values.Length ? new(name, TypeOf<T>(), shape.ToArray(), values)
            : throw new ArgumentException($"entry '{name}': {values.Length} values for a shape of {count} elements");
    }

    /// <summary>The numbers, if they are of type T.</summary>
    public bool TryGet<T>(out T[] values) where T : unmanaged
    {
        bool fits = Type == TypeOf<T>();
        values = fits ? (T[])Values : [];
        return fits;
    }

    /// <summary>"weight: F32 [3, 2]"</summary>
    public override string ToString() => $"{Name}: {Type} [{string.Join(", ", shape)}]";

    /// <summary>An entry to be read into, zeros.</summary>
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
            _ => throw new ArgumentException($"no type '{type}'"),
        });

    /// <summary>Bytes of one number of a type; 0 if the type is unknown.</summary>
    internal static int SizeOf(string type) => type switch
    {
        "F64" or "I64" or "U64" => 8,
        "F32" or "I32" => 4,
        "U8" or "BOOL" => 1,
        _ => 0,
    };

    /// <summary>The format's name of T.</summary>
    internal static string TypeOf<T>()
        => typeof(T) == typeof(float) ? "F32" : typeof(T) == typeof(double) ? "F64" : typeof(T) == typeof(int) ? "I32"
        : typeof(T) == typeof(long) ? "I64" : typeof(T) == typeof(ulong) ? "U64" : typeof(T) == typeof(byte) ? "U8"
        : typeof(T) == typeof(bool) ? "BOOL" : throw new ArgumentException($"safetensors: there is no type for {typeof(T)}");

    /// <summary>Calls <paramref name="use"/> with all bytes, a part at a time: a span is shorter than 2 GiB, an array may not
    /// be.</summary>
    internal void ForBytes(Action<Span<byte>> use)
    {
        const int Most = 1 << 26;
        ref byte first = ref MemoryMarshal.GetArrayDataReference(Values);
        for (long start = 0; start < Size; start += Most)
        {
            use(MemoryMarshal.CreateSpan(ref Unsafe.AddByteOffset(ref first, (nint)start), (int)Math.Min(Most, Size - start)));
        }
    }
}

using System.Globalization;
using System.Numerics;

namespace Marl.Native.Rl;

/// <summary>
/// Saves or restores the state of a training run. An object lists its state once, in a method that is used in both directions, so the saved and
/// the restored state cannot differ.
/// </summary>
public interface IArchive
{
    /// <summary>Whether the archive restores values; otherwise it saves them.</summary>
    bool IsLoading { get; }

    /// <summary>Returns the same archive with the prefix <paramref name="name"/> and a dot before every name.</summary>
    IArchive Scope(string name);

    /// <summary>Saves or restores an array of float, double, int, long, ulong or bool.</summary>
    /// <param name="name">The name of the array.</param>
    /// <param name="values">The elements.</param>
    /// <exception cref="InvalidDataException">When restoring: the archive has no array of this name, type and length.</exception>
    void Array<T>(string name, Span<T> values) where T : unmanaged;

    /// <summary>Saves or restores the elements of a tensor; the shapes must be equal.</summary>
    void Tensor(string name, Tensor values);

    /// <summary>Saves or restores a single value.</summary>
    void Value<T>(string name, ref T value) where T : unmanaged => Array(name, new Span<T>(ref value));

    /// <summary>Saves or restores a single value, which is checked when it is restored.</summary>
    /// <param name="name">The name of the value.</param>
    /// <param name="value">The value.</param>
    /// <param name="min">The least value.</param>
    /// <param name="max">The greatest value.</param>
    /// <exception cref="InvalidDataException">When restoring: the value is out of range.</exception>
    void Value<T>(string name, ref T value, T min, T max) where T : unmanaged, INumber<T>
    {
        Value(name, ref value);
        if (IsLoading && !(value >= min && value <= max))
        {
            throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture, $"'{name}' is {value}; it must be in {min} .. {max}"));
        }
    }

    /// <summary>Saves or restores the state of a random number generator.</summary>
    void Rng(string name, ref Rng rng)
    {
        Span<ulong> words = [rng.Key, rng.Counter];
        Array(name, words);
        rng = new Rng(words[0], words[1]);
    }
}

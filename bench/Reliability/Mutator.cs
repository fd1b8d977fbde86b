using System.Text;

namespace Marl.Native.Bench.Reliability;

/// <summary>Damages files: their bytes, and the tokens of JSON.</summary>
/// <param name="rng">The random number generator.</param>
internal sealed class Mutator(Rng rng)
{
    private const int MaxMutations = 4, LongText = 20_000;

    private static readonly string[] Values =
    [
        "0", "-0", "-1", "1", "1e308", "-1e308", "1e400", "1e-400", "0.5", "2147483647", "2147483648", "-2147483649", "9223372036854775807", "9223372036854775808",
        "18446744073709551616", "16777217", "NaN", "Infinity", "null", "true", "false", "[]", "{}", "[[]]", "[null]", "{\"type\":1}", "\"\"", "\"\\ud800\"", "\"\\u0000\"",
        "\"\\u001b[2J\\u0007\"", "\"cmd:false\"", "\"type\"", "\"$type\"", "\"x\\ny\"", "/*", "//", ",", ":",
    ];

    private static readonly long[] Integers =
        [0, 1, -1, 127, 255, 65535, int.MaxValue, int.MinValue, uint.MaxValue, long.MaxValue, long.MinValue, 1L << 53, 100_000_000, 0x7FC00000, 0x7F800000];

    private Rng rng = rng;

    /// <summary>Returns a random number in 0 .. <paramref name="end"/> - 1.</summary>
    public int Next(int end) => rng.NextInt(end);

    /// <summary>Returns one of several values.</summary>
    public T Pick<T>(IReadOnlyList<T> values) => values[Next(values.Count)];

    /// <summary>Returns a damaged copy of a file: bits are flipped, integers are replaced, parts are deleted, repeated or come from another file.</summary>
    public byte[] Bytes(byte[] file, byte[] other)
    {
        List<byte> bytes = [.. file];
        for (int n = 1 + Next(MaxMutations); n > 0; n--)
        {
            int at = Next(bytes.Count + 1), length = Math.Min(Next(64) + 1, bytes.Count - at);
            switch (Next(8))
            {
                case 0 when length > 0:
                    bytes[at] ^= (byte)(1 << Next(8));
                    break;
                case 1 when length > 0:
                    bytes[at] = (byte)Next(256);
                    break;
                case 2:
                    bytes.RemoveRange(at, bytes.Count - at);
                    break;
                case 3:
                    bytes.RemoveRange(at, length);
                    break;
                case 4:
                    bytes.InsertRange(at, bytes.GetRange(at, length));
                    break;
                case 5:
                    bytes.InsertRange(at, Enumerable.Repeat((byte)Next(256), 1 + Next(300)));
                    break;
                case 6 when other.Length > 0:
                    int from = Next(other.Length);
                    bytes.RemoveRange(at, bytes.Count - at);
                    bytes.AddRange(other.AsSpan(from));
                    break;
                default:
                    // The length of a header is at 0.
                    int start = Next(3) == 0 ? 0 : at, width = Next(2) == 0 ? 4 : 8;
                    byte[] integer = BitConverter.GetBytes(Pick(Integers) + Next(3) - 1);
                    for (int i = 0; i < width && start + i < bytes.Count; i++)
                    {
                        bytes[start + i] = integer[i];
                    }
                    break;
            }
        }
        return [.. bytes];
    }

    /// <summary>Returns a damaged copy of a JSON text: values are replaced by extreme ones, and tokens are deleted, repeated, exchanged or nested.</summary>
    public string Json(string json)
    {
        List<string> tokens = [.. Tokens(json)];
        for (int n = 1 + Next(MaxMutations); n > 0 && tokens.Count > 0; n--)
        {
            int at = Next(tokens.Count), length = Math.Min(Next(12) + 1, tokens.Count - at);
            switch (Next(10))
            {
                case 0:
                    tokens.RemoveRange(at, length);
                    break;
                case 1:
                    tokens.InsertRange(at, tokens.GetRange(at, length));
                    break;
                case 2:
                    int second = Next(tokens.Count);
                    (tokens[at], tokens[second]) = (tokens[second], tokens[at]);
                    break;
                case 3 when Next(8) == 0:
                    int depth = Pick([10, 60, 70, 10_000]);
                    tokens[at] = string.Concat(Enumerable.Repeat(Next(2) == 0 ? "[" : "{\"a\":", depth)) + tokens[at];
                    break;
                case 4 when Next(8) == 0:
                    tokens[at] = $"\"{new string((char)('a' + Next(26)), LongText)}\"";
                    break;
                case 5 when Next(8) == 0:
                    tokens[at] = new string((char)('0' + Next(10)), LongText);
                    break;
                default:
                    // A value rather than punctuation.
                    int value = tokens.FindIndex(at, token => char.IsLetterOrDigit(token[0]) || token[0] is '"' or '-');
                    tokens[value < 0 ? at : value] = Pick(Values);
                    break;
            }
        }
        return string.Join(' ', tokens);
    }

    /// <summary>Returns a damaged copy of a text in UTF-8, as JSON or as bytes.</summary>
    public byte[] Text(byte[] file, byte[] other)
        => Next(4) == 0 ? Bytes(file, other) : Encoding.UTF8.GetBytes(Json(Encoding.UTF8.GetString(file)));

    private static IEnumerable<string> Tokens(string json)
    {
        for (int at = 0; at < json.Length;)
        {
            int start = at++;
            if (json[start] == '"')
            {
                while (at < json.Length && json[at] != '"')
                {
                    at += json[at] == '\\' ? 2 : 1;
                }
                at = Math.Min(at + 1, json.Length);
            }
            else if (char.IsLetterOrDigit(json[start]) || json[start] == '-')
            {
                while (at < json.Length && (char.IsLetterOrDigit(json[at]) || json[at] is '.' or '+' or '-'))
                {
                    at++;
                }
            }
            if (!char.IsWhiteSpace(json[start]))
            {
                yield return json[start..at];
            }
        }
    }
}

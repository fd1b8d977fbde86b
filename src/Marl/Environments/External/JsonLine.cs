using System.Buffers;
using System.Numerics;
using System.Text;
using System.Text.Json;

namespace Marl.Native.Rl;

/// <summary>
/// Reads one line that holds a JSON object of known fields, straight into the memory where its numbers belong. Always knows what it is reading, so
/// an error can say «number 2 of the observation of agent 'b' is NaN». Allocates nothing unless something is wrong.
/// </summary>
internal ref struct JsonLine
{
    private const int LongestExcerpt = 80;

    private readonly ReadOnlySpan<byte> line;
    private Utf8JsonReader json;

    // What is being read: a field, whose it is, and the number of the element.
    private string subject = "the answer";
    private string? owner;
    private int element = -1;

    /// <summary>Begins to read.</summary>
    /// <exception cref="ProgramFault">it is no JSON object.</exception>
    public JsonLine(ReadOnlySpan<byte> line)
    {
        this.line = line;
        json = new Utf8JsonReader(line);
        Next();
        if (json.TokenType != JsonTokenType.StartObject)
        {
            throw NoJson();
        }
    }

    /// <summary>The beginning of a line, for messages.</summary>
    public static string Excerpt(ReadOnlySpan<byte> line)
    {
        string text = Printable.Of(Encoding.UTF8.GetString(line[..Math.Min(line.Length, 4 * LongestExcerpt)]).ReplaceLineEndings(" "));
        return text.Length > LongestExcerpt ? $"'{text[..LongestExcerpt]}..'" : $"'{text}'";
    }

    /// <summary>Goes to the next field of the object; false at its end, which must be the end of the line if it is the outermost.</summary>
    public bool NextField()
    {
        (subject, owner, element) = ("the answer", null, -1);
        Next();
        if (json.TokenType == JsonTokenType.PropertyName)
        {
            return true;
        }

        if (json.CurrentDepth == 0)
        {
            Next(); // throws if anything follows
        }

        return false;
    }

    /// <summary>Whether the field has this name; the value comes next.</summary>
    public readonly bool Is(ReadOnlySpan<byte> name) => json.ValueTextEquals(name);

    /// <summary>«unknown field 'x'».</summary>
    public readonly ProgramFault Unknown(params string[] known)
    {
        string name = json.GetString()!;
        return new($"unknown field '{name}' in the answer; {UsageException.Suggestion(name, known, $"there are {string.Join(", ", known)}")}");
    }

    /// <summary>Says what is read next.</summary>
    public void Name(string subject, string? owner = null) => (this.subject, this.owner, element) = (subject, owner, -1);

    /// <summary>Begins an array.</summary>
    public void BeginArray() => Expect(JsonTokenType.StartArray, "an array");

    /// <summary>Begins an object.</summary>
    public void BeginObject() => Expect(JsonTokenType.StartObject, "an object");

    /// <summary>Goes to the next object of an array; false at the array's end.</summary>
    public bool NextObject()
    {
        Next();
        return json.TokenType == JsonTokenType.StartObject || (json.TokenType == JsonTokenType.EndArray ? false : throw No("an object"));
    }

    /// <summary>Ends an array of which <paramref name="count"/> elements were read, as many as there must be.</summary>
    public void EndArray(int count)
    {
        Next();
        if (json.TokenType != JsonTokenType.EndArray)
        {
            throw new ProgramFault($"{Subject} has more than {count} elements");
        }
    }

    /// <summary>Reads an array of as many numbers as there is room for.</summary>
    public void Numbers<T>(Span<T> into) where T : struct, IFloatingPointIeee754<T>
    {
        BeginArray();
        for (element = 0; element < into.Length; element++)
        {
            Next(into.Length);
            if (json.TokenType != JsonTokenType.Number)
            {
                throw No("a number");
            }

            into[element] = T.CreateTruncating(json.GetDouble());
            if (!T.IsFinite(into[element]))
            {
                throw No("a finite number");
            }
        }
        element = -1;
        EndArray(into.Length);
    }

    /// <summary>Reads an array of as many truth values (true, false, 1, 0) as there is room for.</summary>
    public void Flags(Span<bool> into)
    {
        BeginArray();
        for (element = 0; element < into.Length; element++)
        {
            Next(into.Length);
            into[element] = Truth();
        }
        element = -1;
        EndArray(into.Length);
    }

    /// <summary>Reads true or false.</summary>
    public bool Flag()
    {
        Next();
        return Truth();
    }

    /// <summary>Reads a whole number.</summary>
    public int Whole(int least, int most)
    {
        Next();
        return json.TokenType == JsonTokenType.Number && json.TryGetInt32(out int number) && number >= least && number <= most
            ? number : throw No($"a whole number in {least} .. {most}");
    }

    /// <summary>Reads a string.</summary>
    public string Text()
    {
        Next();
        return json.TokenType == JsonTokenType.String ? json.GetString()! : throw No("a string");
    }

    private readonly string Subject => owner is null ? subject : $"{subject} of agent '{owner}'";

    private readonly bool Truth() => json.TokenType switch
    {
        JsonTokenType.True => true,
        JsonTokenType.False => false,
        JsonTokenType.Number when json.TryGetInt32(out int number) && number is 0 or 1 => number == 1,
        _ => throw No("true or false"),
    };

    private void Expect(JsonTokenType token, string name)
    {
        Next();
        if (json.TokenType != token)
        {
            throw No(name);
        }
    }

    /// <summary>Goes on by a token that must not be the end of an array of <paramref name="length"/> elements.</summary>
    private void Next(int length)
    {
        Next();
        if (json.TokenType == JsonTokenType.EndArray)
        {
            throw new ProgramFault($"{Subject} has {element} elements; there must be {length}");
        }
    }

    private void Next()
    {
        try
        {
            json.Read();
        }
        catch (JsonException)
        {
            // Python writes a number that is none as NaN or Infinity, which JSON does not have.
            var rest = line[(int)json.BytesConsumed..].TrimStart(" ,:\t"u8);
            foreach (string name in (ReadOnlySpan<string>)["NaN", "Infinity", "-Infinity"])
            {
                if (rest.StartsWith(Encoding.UTF8.GetBytes(name)))
                {
                    throw new ProgramFault($"{Place} is {name}; a finite number is needed");
                }
            }
            throw NoJson();
        }
    }

    private readonly string Place => element < 0 ? Subject : $"number {element} of {Subject}";

    private readonly ProgramFault No(string needed)
    {
        if (json.TokenType == JsonTokenType.EndArray)
        {
            return new($"{Place} is missing");
        }

        string found = json.TokenType switch
        {
            JsonTokenType.StartArray => "an array",
            JsonTokenType.StartObject => "an object",
            _ => Encoding.UTF8.GetString(json.HasValueSequence ? json.ValueSequence.ToArray() : json.ValueSpan),
        };
        return new($"{Place} is {found}; {needed} is needed");
    }

    private readonly ProgramFault NoJson() => new($"the answer is no JSON object: {Excerpt(line)}");
}

using System.Numerics;
using System.Text;
using System.Text.Json;
using Marl.Native.Nn;

namespace Marl.Native.Rl;

/// <summary>
/// Reads a line with a JSON object, directly into the buffers of its fields. Errors name the field: "element 2 of the observation of agent 'b' is NaN". Does
/// not allocate unless there is an error.
/// </summary>
internal ref struct JsonLine
{
    private const int MaxExcerptLength = 80;

    private readonly ReadOnlySpan<byte> line;
    private Utf8JsonReader json;

    // The current field, the agent that it belongs to, and the index of the element.
    private string subject = "the answer";
    private string? owner;
    private int element = -1;

    /// <summary>Reads the start of the object.</summary>
    /// <exception cref="ExternalProgramException">The line is not a JSON object.</exception>
    public JsonLine(ReadOnlySpan<byte> line)
    {
        this.line = line;
        json = new Utf8JsonReader(line);
        Next();
        if (json.TokenType != JsonTokenType.StartObject)
        {
            throw NotJson();
        }
    }

    /// <summary>Returns the beginning of a line for messages.</summary>
    public static string Excerpt(ReadOnlySpan<byte> line)
    {
        string text = Printable.Of(Encoding.UTF8.GetString(line[..Math.Min(line.Length, 4 * MaxExcerptLength)]).ReplaceLineEndings(" "));
        return text.Length > MaxExcerptLength ? $"'{text[..MaxExcerptLength]}..'" : $"'{text}'";
    }

    /// <summary>Advances to the next field of the object; returns false at its end, which must be the end of the line for the outermost object.</summary>
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

    /// <summary>Returns whether the field has a name.</summary>
    /// <param name="name">The name.</param>
    /// <param name="occurred">Whether a field of this name has occurred in the object; set if this one has the name.</param>
    /// <exception cref="ExternalProgramException">The name occurs twice.</exception>
    public readonly bool Is(ReadOnlySpan<byte> name, ref bool occurred)
    {
        try
        {
            if (!json.ValueTextEquals(name))
            {
                return false;
            }
        }
        catch (InvalidOperationException)
        {
            throw NotUnicode();
        }
        occurred = !occurred ? true : throw new ExternalProgramException($"the field '{Encoding.UTF8.GetString(name)}' occurs twice");
        return true;
    }

    /// <summary>Creates the exception for an unknown field.</summary>
    public readonly ExternalProgramException Unknown(params string[] known)
    {
        string name = Printable.Of(Text(), MaxExcerptLength);
        return new($"unknown field '{name}' in the answer; {UsageException.Suggestion(name, known, $"available: {string.Join(", ", known)}")}");
    }

    /// <summary>Sets the name of the value that is read next, for error messages.</summary>
    public void SetSubject(string subject, string? owner = null) => (this.subject, this.owner, element) = (subject, owner, -1);

    /// <summary>Reads the start of an array.</summary>
    public void BeginArray() => Expect(JsonTokenType.StartArray, "an array");

    /// <summary>Reads the start of an object.</summary>
    public void BeginObject() => Expect(JsonTokenType.StartObject, "an object");

    /// <summary>Advances to the next object of an array; returns false at the end of the array.</summary>
    public bool NextObject()
    {
        Next();
        return json.TokenType == JsonTokenType.StartObject || (json.TokenType == JsonTokenType.EndArray ? false : throw Unexpected("an object"));
    }

    /// <summary>Reads the end of an array of <paramref name="count"/> elements.</summary>
    public void EndArray(int count)
    {
        Next();
        if (json.TokenType != JsonTokenType.EndArray)
        {
            throw new ExternalProgramException($"{Subject} has more than {count} elements");
        }
    }

    /// <summary>Reads an array of numbers, with the length of <paramref name="into"/>.</summary>
    public void ReadNumbers<T>(Span<T> into) where T : struct, IFloatingPointIeee754<T>
    {
        BeginArray();
        for (element = 0; element < into.Length; element++)
        {
            Next(into.Length);
            if (json.TokenType != JsonTokenType.Number)
            {
                throw Unexpected("a number");
            }

            into[element] = T.CreateTruncating(json.GetDouble());
            if (!T.IsFinite(into[element]))
            {
                throw Unexpected("a finite number");
            }
        }
        element = -1;
        EndArray(into.Length);
    }

    /// <summary>Reads an array of Boolean values (true, false, 1, 0), with the length of <paramref name="into"/>.</summary>
    public void ReadBools(Span<bool> into)
    {
        BeginArray();
        for (element = 0; element < into.Length; element++)
        {
            Next(into.Length);
            into[element] = CurrentBool();
        }
        element = -1;
        EndArray(into.Length);
    }

    /// <summary>Reads a Boolean value (true, false, 1, 0).</summary>
    public bool ReadBool()
    {
        Next();
        return CurrentBool();
    }

    /// <summary>Reads an integer in <paramref name="min"/> .. <paramref name="max"/>.</summary>
    public int ReadInteger(int min, int max)
    {
        Next();
        return json.TokenType == JsonTokenType.Number && json.TryGetInt32(out int number) && number >= min && number <= max
            ? number : throw Unexpected($"an integer in {min} .. {max}");
    }

    /// <summary>Reads an array of integers in <paramref name="min"/> .. <paramref name="max"/>.</summary>
    public int[] ReadIntegers(int min, int max)
    {
        List<int> integers = [];
        BeginArray();
        for (element = 0; ; element++)
        {
            Next();
            if (json.TokenType == JsonTokenType.EndArray)
            {
                element = -1;
                return [.. integers];
            }
            integers.Add(json.TokenType == JsonTokenType.Number && json.TryGetInt32(out int number) && number >= min && number <= max
                ? number : throw Unexpected($"an integer in {min} .. {max}"));
        }
    }

    /// <summary>Reads a string.</summary>
    public string ReadString()
    {
        Next();
        return json.TokenType == JsonTokenType.String ? Text() : throw Unexpected("a string");
    }

    /// <summary>Returns the current name or string.</summary>
    private readonly string Text()
    {
        try
        {
            return json.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw NotUnicode();
        }
    }

    private readonly ExternalProgramException NotUnicode() => new($"the answer is not valid Unicode: {Excerpt(json.ValueSpan)}");

    private readonly string Subject => owner is null ? subject : $"{subject} of agent '{owner}'";

    private readonly bool CurrentBool() => json.TokenType switch
    {
        JsonTokenType.True => true,
        JsonTokenType.False => false,
        JsonTokenType.Number when json.TryGetInt32(out int number) && number is 0 or 1 => number == 1,
        _ => throw Unexpected("true or false"),
    };

    private void Expect(JsonTokenType token, string name)
    {
        Next();
        if (json.TokenType != token)
        {
            throw Unexpected(name);
        }
    }

    /// <summary>Reads the next element of an array of <paramref name="length"/> elements.</summary>
    private void Next(int length)
    {
        Next();
        if (json.TokenType == JsonTokenType.EndArray)
        {
            throw new ExternalProgramException($"{Subject} has {element} elements instead of {length}");
        }
    }

    private void Next()
    {
        try
        {
            json.Read();
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // Python writes NaN and Infinity, which are not valid JSON.
            var rest = line[(int)json.BytesConsumed..].TrimStart(" ,:\t"u8);
            foreach (string name in (ReadOnlySpan<string>)["NaN", "Infinity", "-Infinity"])
            {
                if (rest.StartsWith(Encoding.UTF8.GetBytes(name)))
                {
                    throw new ExternalProgramException($"{Location} is {name}; a finite number is required");
                }
            }
            throw NotJson();
        }
    }

    private readonly string Location => element < 0 ? Subject : $"element {element} of {Subject}";

    private readonly ExternalProgramException Unexpected(string expected)
    {
        if (json.TokenType == JsonTokenType.EndArray)
        {
            return new($"{Location} is missing");
        }

        string found = json.TokenType switch
        {
            JsonTokenType.StartArray => "an array",
            JsonTokenType.StartObject => "an object",
            _ => Excerpt(json.ValueSpan).Trim('\''),
        };
        return new($"{Location} is {found}; {expected} is required");
    }

    private readonly ExternalProgramException NotJson() => new($"the answer is not a JSON object: {Excerpt(line)}");
}

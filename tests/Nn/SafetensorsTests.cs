using System.Buffers.Binary;
using System.Text;
using Marl.Native.Nn;

namespace Marl.Native.Tests;

public sealed class SafetensorsTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    private string File => folder["x.safetensors"];

    [Fact]
    public void RoundTripOfEveryType()
    {
        var metadata = new Dictionary<string, string> { ["format"] = "1", ["notes"] = "«ä» \"quoted\"\nand a second line" };
        new Safetensors(
        [
            SafetensorsEntry.Of("byte", [3], new byte[] { 1, 2, 255 }),
            SafetensorsEntry.Of("bool", [1, 2], [true, false]),
            SafetensorsEntry.Of("float", [2, 1, 1, 1, 2], [1f, -0f, float.NaN, float.Epsilon]),
            SafetensorsEntry.Of("double", [], [Math.PI]),
            SafetensorsEntry.Of("int", [2], [int.MinValue, int.MaxValue]),
            SafetensorsEntry.Of("long", [2], [long.MinValue, long.MaxValue]),
            SafetensorsEntry.Of("ulong", [1], [ulong.MaxValue]),
            SafetensorsEntry.Of("nothing ä", [0, 7], Array.Empty<float>()),
        ], metadata).Write(File);

        var read = Safetensors.Read(File);

        Assert.Equal(metadata, read.Metadata);
        Assert.Equal(8, read.Entries.Count);
        Assert.Equal(new byte[] { 1, 2, 255 }, Values<byte>(read, "byte"));
        Assert.Equal([true, false], Values<bool>(read, "bool"));
        Assert.Equal(new[] { 1f, -0f, float.NaN, float.Epsilon }.Select(BitConverter.SingleToInt32Bits),
            Values<float>(read, "float").Select(BitConverter.SingleToInt32Bits));
        Assert.Equal([2, 1, 1, 1, 2], read.Find("float")!.Shape.ToArray());
        Assert.Equal([Math.PI], Values<double>(read, "double"));
        Assert.Empty(read.Find("double")!.Shape.ToArray());
        Assert.Equal([int.MinValue, int.MaxValue], Values<int>(read, "int"));
        Assert.Equal([long.MinValue, long.MaxValue], Values<long>(read, "long"));
        Assert.Equal([ulong.MaxValue], Values<ulong>(read, "ulong"));
        Assert.Equal([0, 7], read.Find("nothing ä")!.Shape.ToArray());
        Assert.Null(read.Find("other"));
        Assert.False(read.Find("long")!.TryGet<ulong>(out _));
    }

    [Fact]
    public void TheBytesAreThoseOfTheFormat()
    {
        new Safetensors([SafetensorsEntry.Of("b", [1], new byte[] { 7 }), SafetensorsEntry.Of("a", [1, 2], [1f, 2f])],
            new Dictionary<string, string> { ["k"] = "v" }).Write(File);

        const string Header = """{"__metadata__":{"k":"v"},"a":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},"b":{"dtype":"U8","shape":[1],"data_offsets":[8,9]}}""";
        byte[] bytes = System.IO.File.ReadAllBytes(File);
        int length = (int)BinaryPrimitives.ReadInt64LittleEndian(bytes);
        Assert.Equal(0, length % 8);
        Assert.Equal(Header, Encoding.UTF8.GetString(bytes, 8, length).TrimEnd(' '));
        Assert.Equal([0, 0, 0x80, 0x3F, 0, 0, 0, 0x40, 7], bytes[(8 + length)..]);
    }

    [Fact]
    public void EntriesMayStandInAnyOrderInTheHeader()
    {
        Write("""{"b":{"dtype":"I32","shape":[1],"data_offsets":[4,8]},"a":{"shape":[],"data_offsets":[0,4],"dtype":"I32"}}   """,
            [5, 0, 0, 0, 6, 0, 0, 0]);

        var read = Safetensors.Read(File);

        Assert.Equal(["a: I32 []", "b: I32 [1]"], read.Entries.Select(e => e.ToString()));
        Assert.Equal([5], Values<int>(read, "a"));
        Assert.Equal([6], Values<int>(read, "b"));
    }

    [Theory]
    // the JSON
    [InlineData("", 0, "not valid JSON")]
    [InlineData("{", 0, "not valid JSON")]
    [InlineData("{}}", 0, "not valid JSON")]
    [InlineData("{}{}", 0, "not valid JSON")]
    [InlineData("{},", 0, "not valid JSON")]
    [InlineData("[]", 0, "the header: expected StartObject")]
    [InlineData("{'a':1}", 0, "not valid JSON")]
    [InlineData("""{"\ud800":{}}""", 0, "not valid JSON")]
    [InlineData("""{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},}""", 0, "not valid JSON")]
    [InlineData("""{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}/**/}""", 0, "not valid JSON")]
    // names
    [InlineData("""{"a":{"dtype":"U8","shape":[],"data_offsets":[0,1]},"\u0061":{"dtype":"U8","shape":[],"data_offsets":[1,2]}}""", 2, "entry 'a': the name occurs twice")]
    [InlineData("""{"__metadata__":{},"__metadata__":{}}""", 0, "entry '__metadata__': the name occurs twice")]
    [InlineData("""{"__metadata__":{"k":"1","k":"2"}}""", 0, "the key 'k' occurs twice")]
    [InlineData("""{"__metadata__":{"k":1}}""", 0, "value of 'k': expected String")]
    [InlineData("""{"__metadata__":[]}""", 0, "__metadata__: expected StartObject")]
    // fields
    [InlineData("""{"a":1}""", 0, "entry 'a': expected StartObject")]
    [InlineData("""{"a":{"shape":[],"data_offsets":[0,1]}}""", 1, "entry 'a': dtype is missing")]
    [InlineData("""{"a":{"dtype":"U8","data_offsets":[0,1]}}""", 1, "entry 'a': shape is missing")]
    [InlineData("""{"a":{"dtype":"U8","shape":[]}}""", 1, "entry 'a': data_offsets is missing")]
    [InlineData("""{"a":{"dtype":"U8","shape":[],"shape":[],"data_offsets":[0,1]}}""", 1, "entry 'a': 'shape' occurs twice")]
    [InlineData("""{"a":{"dtype":"U8","shape":[],"data_offsets":[0,1],"strides":[]}}""", 1, "'strides' is not a field")]
    [InlineData("""{"a":{"dtype":"BF16","shape":[1],"data_offsets":[0,2]}}""", 2, "entry 'a': dtype 'BF16' is not supported")]
    [InlineData("""{"a":{"dtype":"f32","shape":[],"data_offsets":[0,4]}}""", 4, "entry 'a': dtype 'f32' is not supported")]
    [InlineData("""{"a":{"dtype":4,"shape":[],"data_offsets":[0,4]}}""", 4, "entry 'a', dtype: expected String")]
    // shapes and offsets
    [InlineData("""{"a":{"dtype":"U8","shape":1,"data_offsets":[0,1]}}""", 1, "entry 'a', shape: expected StartArray")]
    [InlineData("""{"a":{"dtype":"U8","shape":[-1],"data_offsets":[0,1]}}""", 1, "entry 'a', shape: expected nonnegative integers")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1.5],"data_offsets":[0,1]}}""", 1, "entry 'a', shape: expected nonnegative integers")]
    [InlineData("""{"a":{"dtype":"U8","shape":["1"],"data_offsets":[0,1]}}""", 1, "entry 'a', shape: expected nonnegative integers")]
    [InlineData("""{"a":{"dtype":"U8","shape":[99999999999999999999],"data_offsets":[0,1]}}""", 1, "entry 'a', shape: expected nonnegative integers")]
    [InlineData("""{"a":{"dtype":"U8","shape":[4294967296],"data_offsets":[0,1]}}""", 1, "an axis of 4294967296 is too long")]
    [InlineData("""{"a":{"dtype":"U8","shape":[65536,65536,65536,65536,1],"data_offsets":[0,0]}}""", 0, "entry 'a': shape [65536, 65536")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[0]}}""", 1, "data_offsets [0] are not [begin, end]")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1,2]}}""", 1, "data_offsets [0, 1, 2] are not [begin, end]")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[1,0]}}""", 1, "data_offsets [1, 0] are not [begin, end]")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}""", 4, "entry 'a': shape [2] of F32 takes 8 bytes, data_offsets [0, 4] give 4")]
    [InlineData("""{"a":{"dtype":"F64","shape":[],"data_offsets":[0,4]}}""", 4, "entry 'a': shape [] of F64 takes 8 bytes")]
    // the data
    [InlineData("{}", 1, "the last 1 bytes belong to no entry")]
    [InlineData("""{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}""", 3, "the last 1 bytes belong to no entry")]
    [InlineData("""{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}""", 1, "entry 'a': ends at 2, beyond the file's 1 bytes")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}""", 2, "entry 'a': begins at 1, with a gap after")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}}""", 3, "entry 'b': begins at 2, with a gap after")]
    [InlineData("""{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}""", 3, "entry 'b': begins at 1, inside")]
    [InlineData("""{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}""", 2, "entry 'b': begins at 0, inside")]
    public void Refuses(string header, int dataLength, string problem)
    {
        Write(header, new byte[dataLength]);
        Refused(problem);
    }

    [Theory]
    [InlineData(new byte[] { }, "the file has 0 bytes, fewer than a header")]
    [InlineData(new byte[] { 2, 0, 0, 0, 0, 0, 0 }, "the file has 7 bytes, fewer than a header")]
    [InlineData(new byte[] { 3, 0, 0, 0, 0, 0, 0, 0, (byte)'{', (byte)'}' }, "a header of 3 bytes does not fit in a file of 10 bytes")]
    [InlineData(new byte[] { 0, 0, 0, 0, 0, 0, 0, 0 }, "not valid JSON")]
    [InlineData(new byte[] { 255, 255, 255, 255, 255, 255, 255, 255, (byte)'{', (byte)'}' }, "a header of 18446744073709551615 bytes")]
    [InlineData(new byte[] { 5, 0, 0, 0, 0, 0, 0, 0, (byte)'{', (byte)'"', 0xFF, (byte)'"', (byte)'}' }, "not valid JSON")]
    public void RefusesRawBytes(byte[] bytes, string problem)
    {
        System.IO.File.WriteAllBytes(File, bytes);
        Refused(problem);
    }

    [Fact]
    public void RefusesABooleanThatIsNone()
    {
        Write("""{"a":{"dtype":"BOOL","shape":[3],"data_offsets":[0,3]}}""", [0, 1, 2]);
        Refused("entry 'a': a BOOL is neither 0 nor 1");
    }

    [Fact]
    public void NamesInMessagesStayOnOneLine()
    {
        Write($$"""{"line\nbreak {{new string('x', 1000)}}":1}""", []);
        Refused("entry 'line\uFFFDbreak xxx");
    }

    [Fact]
    public void EveryTruncationIsRefused()
    {
        new Safetensors([SafetensorsEntry.Of("a", [2], [1f, 2f]), SafetensorsEntry.Of("b", [2], [3, 4])]).Write(File);
        byte[] whole = System.IO.File.ReadAllBytes(File);
        for (int length = 0; length < whole.Length; length++)
        {
            System.IO.File.WriteAllBytes(File, whole[..length]);
            Refused("");
        }
    }

    [Fact]
    public void NoDamagedByteOfTheHeaderDoesWorseThanBeRefused()
    {
        new Safetensors([SafetensorsEntry.Of("a", [2], [1f, 2f]), SafetensorsEntry.Of("b", [2], [3, 4])],
            new Dictionary<string, string> { ["k"] = "v" }).Write(File);
        byte[] whole = System.IO.File.ReadAllBytes(File);
        int refused = 0, header = whole.Length - 16;
        for (int i = 0; i < header; i++)
        {
            foreach (byte other in "\0\n \"\\{}[],:019-.e\u00ff"u8)
            {
                byte[] damaged = [.. whole];
                damaged[i] = other;
                System.IO.File.WriteAllBytes(File, damaged);
                try
                {
                    Safetensors.Read(File);
                }
                catch (InvalidDataException)
                {
                    refused++;
                }
            }
        }
        Assert.InRange(refused, header * 10, int.MaxValue);
    }

    [Fact]
    public void ContentIsCheckedWhenItIsMade()
    {
        var a = SafetensorsEntry.Of("a", [1], [1f]);
        Assert.Throws<ArgumentException>(() => new Safetensors([a, a]));
        Assert.Throws<ArgumentException>(() => new Safetensors([SafetensorsEntry.Of("__metadata__", [1], [1f])]));
        Assert.Throws<ArgumentException>(() => SafetensorsEntry.Of("a", [2], [1f]));
        Assert.ThrowsAny<ArgumentException>(() => SafetensorsEntry.Of("a", [-1, -1], [1f]));
        Assert.Throws<ArgumentException>(() => SafetensorsEntry.Of("a", [1], ['c']));
    }

    public void Dispose() => folder.Dispose();

    private static T[] Values<T>(Safetensors file, string name) where T : unmanaged
    {
        Assert.True(file.Find(name)!.TryGet(out T[] values));
        return values;
    }

    private void Write(string header, byte[] data)
    {
        byte[] json = Encoding.UTF8.GetBytes(header), length = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, json.Length);
        System.IO.File.WriteAllBytes(File, [.. length, .. json, .. data]);
    }

    private void Refused(string problem)
    {
        string message = Assert.Throws<InvalidDataException>(() => Safetensors.Read(File)).Message;
        Assert.StartsWith(File + ": ", message);
        Assert.Contains(problem, message);
        Assert.DoesNotContain('\n', message);
        Assert.True(message.Length < 500, message);
    }
}

using System.Text;
using Marl.Native.Rl;

namespace Marl.Native.Tests.External;

public sealed class ErrorRelayTests
{
    [Theory]
    [InlineData("one\ntwo\n", "one\ntwo\n", "two")]
    [InlineData("one\r\ntwo", "one\ntwo\n", "two")]
    [InlineData("error: x\n\n  \n", "error: x\n\n  \n", "error: x")]
    [InlineData("\u001b[2Jred\a\n", "\uFFFD[2Jred\uFFFD\n", "\uFFFD[2Jred\uFFFD")]
    [InlineData("a\tb\u009b\n", "a\tb\uFFFD\n", "a\tb\uFFFD")]
    [InlineData("", "", "")]
    public void LinesArePassedOnWithoutControlCharacters(string written, string passed, string last)
        => Assert.Equal((passed, last), Relay(Encoding.UTF8.GetBytes(written)));

    [Fact]
    public void BytesThatAreNotTextAreReplaced() => Assert.Equal(("a\uFFFDb\n", "a\uFFFDb"), Relay([(byte)'a', 0xFF, (byte)'b', (byte)'\n']));

    [Fact]
    public void ALineWithoutEndIsPassedOnInPieces()
    {
        var (passed, last) = Relay(Encoding.UTF8.GetBytes(new string('x', 100_000)));
        Assert.Equal(100_000, passed.Count(c => c == 'x'));
        Assert.Equal(100_000 / 4096 + 1, passed.Count(c => c == '\n'));
        Assert.Equal(402, last.Length);
    }

    private static (string Passed, string Last) Relay(byte[] written)
    {
        var writer = new StringWriter { NewLine = "\n" };
        var relay = new ErrorRelay(new MemoryStream(written), writer);
        relay.Wait(TimeSpan.FromSeconds(60));
        return (writer.ToString(), relay.LastLine);
    }
}

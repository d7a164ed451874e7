using System.Text;

namespace NicHost.Testing.Snapshots;

/// <summary>The accepted text of a test and the text that it was given, in files with Verify's names: UTF-8 with a mark, no newline at the end.</summary>
internal sealed class SnapshotFile(string sourceFile, string name)
{
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: true);

    private readonly string _stem = Path.Combine(Path.GetDirectoryName(sourceFile)!, $"{Path.GetFileNameWithoutExtension(sourceFile)}.{name}");

    private string Verified => _stem + ".verified.txt";

    private string Received => _stem + ".received.txt";

    /// <exception cref="SnapshotException">The text is not the accepted one; it is in the received file then.</exception>
    public async Task CompareAsync(string text)
    {
        text = Normal(text);
        var accepted = File.Exists(Verified) ? Normal(await File.ReadAllTextAsync(Verified)) : null;
        if (text == accepted)
        {
            File.Delete(Received);
            return;
        }
        await File.WriteAllTextAsync(Received, text, Utf8);
        throw new SnapshotException(accepted is null
            ? $"Nothing is accepted yet of what this topology comes to.\n{Accept}\n\n{text}"
            : $"The topology does not come to what was accepted (- accepted, + now).\n{Accept}\n\n{LineDifference.Render(accepted, text)}");
    }

    private string Accept => $"To accept it: mv '{Received}' '{Verified}'";

    private static string Normal(string text) => text.ReplaceLineEndings("\n").TrimEnd('\n');
}

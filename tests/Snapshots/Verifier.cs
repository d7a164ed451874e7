using System.Runtime.CompilerServices;
using System.Text;
using DiffEngine;

namespace VerifyXunit;

/// <summary>
/// Stands in for Verify.Xunit with the same names and the same files, for text only: <c>Class.Method[_params].verified.txt</c> beside the
/// test, UTF-8 with BOM, LF, no newline at the end. <c>UseVerify=true</c> swaps the real package in.
/// </summary>
public static class Verifier
{
    /// <summary>Compares <paramref name="target"/> with the verified file of the calling test.</summary>
    public static SettingsTask Verify(string target, [CallerFilePath] string sourceFile = "", [CallerMemberName] string method = "") =>
        new(target, "txt", sourceFile, method);

    /// <summary>As above, with a file extension of its own.</summary>
    public static SettingsTask Verify(string target, string extension, [CallerFilePath] string sourceFile = "", [CallerMemberName] string method = "") =>
        new(target, extension, sourceFile, method);
}

/// <summary>A comparison that runs when awaited.</summary>
public sealed class SettingsTask(string target, string extension, string sourceFile, string method)
{
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: true);
    private string _directory = Path.GetDirectoryName(sourceFile)!;
    private string _method = method;
    private string _parameters = "";

    /// <summary>Puts the files elsewhere, relative to the test's folder.</summary>
    public SettingsTask UseDirectory(string directory)
    {
        _directory = Path.Combine(_directory, directory);
        return this;
    }

    /// <summary>Names the files for another method.</summary>
    public SettingsTask UseMethodName(string name)
    {
        _method = name;
        return this;
    }

    /// <summary>Adds the case of a theory to the files' name.</summary>
    public SettingsTask UseTextForParameters(string text)
    {
        _parameters = "_" + text;
        return this;
    }

    /// <summary>Runs the comparison.</summary>
    public Task ToTask() => Compare();

    /// <summary>Runs the comparison.</summary>
    public TaskAwaiter GetAwaiter() => ToTask().GetAwaiter();

    /// <summary>Runs the comparison.</summary>
    public static implicit operator Task(SettingsTask task) => task.ToTask();

    private async Task Compare()
    {
        var stem = Path.Combine(_directory, $"{Path.GetFileNameWithoutExtension(sourceFile)}.{_method}{_parameters}");
        var verified = $"{stem}.verified.{extension}";
        var received = $"{stem}.received.{extension}";
        var text = target.ReplaceLineEndings("\n").TrimEnd('\n');
        var expected = File.Exists(verified) ? await File.ReadAllTextAsync(verified) : null;
        if (expected is not null && expected.Contains('\r', StringComparison.Ordinal))
            throw new InvalidOperationException($"{verified} has carriage returns; verified files use line feeds.");
        if (text == expected)
        {
            File.Delete(received);
            return;
        }
        Directory.CreateDirectory(_directory);
        await File.WriteAllTextAsync(received, text, Utf8);
        if (!BuildServerDetector.Detected) await DiffRunner.LaunchAsync(received, verified);
        throw new InvalidOperationException(Describe(received, verified, text, expected));
    }

    private string Describe(string received, string verified, string text, string? expected)
    {
        var message = new StringBuilder().Append("Directory: ").AppendLine(_directory)
            .AppendLine(expected is null ? "New:" : "NotEqual:")
            .Append("  - Received: ").AppendLine(Path.GetFileName(received))
            .Append("    Verified: ").AppendLine(Path.GetFileName(verified))
            .AppendLine().Append("Received: ").AppendLine(Path.GetFileName(received)).AppendLine(text);
        if (expected is not null) message.AppendLine().Append("Verified: ").AppendLine(Path.GetFileName(verified)).AppendLine(expected);
        return message.ToString();
    }
}

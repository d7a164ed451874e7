namespace NicHost.Host.Tests;

/// <summary>A test that needs a program of the machine: <c>./test</c> installs it; elsewhere, without it, the test is skipped and says why.</summary>
internal sealed class ProgramFactAttribute : FactAttribute
{
    public ProgramFactAttribute(string program)
    {
        var folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':');
        if (!folders.Any(folder => File.Exists(Path.Combine(folder, program)))) Skip = $"needs {program}: run ./test, or install it";
    }
}

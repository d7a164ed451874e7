namespace NicHost.Packages.Tests.Rig;

/// <summary>A plugin author's machine: a host with its plugins, the templates, a folder to work in. Nothing of it is the user's.</summary>
internal sealed class Author : IAsyncDisposable
{
    private readonly PackageFeed _feed;
    private readonly string _home = Directory.CreateTempSubdirectory("nichost-author-").FullName;
    private readonly Dictionary<string, string> _environment;

    private Author(PackageFeed feed)
    {
        _feed = feed;
        _environment = AuthorEnvironment.In(_home);
        Directory.CreateDirectory(Work);
    }

    /// <summary>Where projects are.</summary>
    public string Work => Path.Combine(_home, "work");

    /// <summary>The default plugin root of the author's host.</summary>
    public string PluginRoot => Path.Combine(_home, "NicHost/artifacts/plugins/release");

    /// <summary>An author without a host.</summary>
    public static Author OfPackages(PackageFeed feed) => new(feed);

    /// <summary>An author with a host.</summary>
    public static async Task<Author> MoveInAsync(PackageFeed feed)
    {
        var author = OfPackages(feed);
        await author.InstallHostAsync();
        return author;
    }

    /// <summary>Installs the templates from their package and makes a project from one.</summary>
    public async Task NewAsync(string template, string name)
    {
        var hive = $"--debug:custom-hive {_home}/hive";
        await RunAsync($"dotnet new install {_feed.PathOf("NicHost.Templates")} {hive}", Work);
        await RunAsync($"dotnet new {template} -n {name} --feed {_feed.Folder} {hive}", Work);
    }

    /// <summary>Runs a command line; it has to end well.</summary>
    public async Task<string> RunAsync(string line, string folder)
    {
        await using var command = Command.Start(line, folder, _environment);
        Assert.True(await command.EndAsync() == 0, $"{line}\n{command.Output}");
        return command.Output;
    }

    /// <summary>Runs a command line that has to fail.</summary>
    public async Task<string> FailAsync(string line, string folder)
    {
        await using var command = Command.Start(line, folder, _environment);
        Assert.False(await command.EndAsync() == 0, $"{line} does not fail.\n{command.Output}");
        return command.Output;
    }

    /// <summary>Starts a command line that goes on beside the others.</summary>
    public Command Start(string line, string folder) => Command.Start(line, folder, _environment);

    public ValueTask DisposeAsync()
    {
        Directory.Delete(_home, recursive: true);
        return ValueTask.CompletedTask;
    }

    // As in a checkout that ./nichost has built.
    private async Task InstallHostAsync()
    {
        var host = Path.Combine(_home, "NicHost");
        Copy(Repository.Output("bin", "Host"), Path.Combine(host, "artifacts/bin/Host/release"));
        Copy(Repository.Output("plugins"), PluginRoot);
        var script = Path.Combine(host, "nichost");
        await File.WriteAllTextAsync(script, $"""
            #!/bin/sh
            exec dotnet {host}/artifacts/bin/Host/release/nichost.dll "$@"
            """);
        File.SetUnixFileMode(script, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    /// <summary>Copies a folder without what a build leaves in it.</summary>
    public static void Copy(string from, string to)
    {
        foreach (var file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            var relative = Path.GetRelativePath(from, file);
            if (relative.Split('/').Any(part => part is "bin" or "obj")) continue;
            var target = Path.Combine(to, relative);
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
    }
}

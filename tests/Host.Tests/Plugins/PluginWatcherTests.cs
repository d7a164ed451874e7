using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using NicHost.Host.Plugins;
using NicHost.Linux;
using NicHost.Loops;

namespace NicHost.Host.Tests.Plugins;

public sealed class PluginWatcherTests : IDisposable
{
    private readonly PluginRoot _root = new();
    private readonly FakeTimeProvider _time = new();
    private readonly EventLoop _loop;
    private readonly PluginHost _plugins;
    private readonly PluginWatcher _watcher;
    private int _changes;

    public PluginWatcherTests()
    {
        _root.Drop(PluginRoot.Output("Gate"), "Gate/1.0.0");
        _loop = new EventLoop("plugins", _time);
        _plugins = new PluginHost(new PluginSettings([_root.Path]), NullLoggerFactory.Instance);
        _watcher = new PluginWatcher(_plugins, _loop, NullLoggerFactory.Instance);
        _plugins.Changed += _ => _changes++;
        Turn();
    }

    public void Dispose()
    {
        _watcher.Dispose();
        _loop.Dispose();
        _root.Dispose();
    }

    [Fact]
    public void Plugin_that_is_renamed_into_a_root_is_offered_after_a_moment_of_quiet()
    {
        _root.Drop(PluginRoot.Output("HangsInStop"), ".staging/HangsInStop/1.0.0");
        Turn();
        Directory.Move(_root.At(".staging/HangsInStop"), _root.At("HangsInStop"));
        _loop.RunUntilIdle();
        Assert.Equal(0, _changes);
        Turn();
        Assert.Equal(1, _changes);
        Assert.Equal("1.0.0", Kind("hangs-in-stop")!.Plugin.Version);
    }

    [Fact]
    public void Version_that_is_renamed_into_a_plugin_is_offered_and_the_old_one_stays_what_it_is()
    {
        var old = Kind("gate");
        _root.Drop(PluginRoot.Output("Gate"), "Gate/2.0.0");
        Turn();
        Assert.Equal("2.0.0", Kind("gate")!.Plugin.Version);
        Assert.Same(old, Kind("gate@1.0.0"));
    }

    [Fact]
    public void Version_that_is_renamed_into_a_plugin_which_came_the_moment_before_is_offered()
    {
        // Both before the watcher has a turn: it cannot have seen the second rename.
        Directory.CreateDirectory(_root.At(".staging"));
        _root.Drop(PluginRoot.Output("HangsInStop"), ".staging/1.0.0");
        AgeIsTold(_root.At(".staging/1.0.0"));
        Directory.CreateDirectory(_root.At("HangsInStop"));
        Directory.Move(_root.At(".staging/1.0.0"), _root.At("HangsInStop/1.0.0"));
        Turn();
        Assert.NotNull(Kind("hangs-in-stop"));

        // And now that it is known, at any time.
        _root.Drop(PluginRoot.Output("HangsInStop"), "HangsInStop/1.1.0");
        Turn();
        Assert.Equal("1.1.0", Kind("hangs-in-stop")!.Plugin.Version);
    }

    [Theory]
    [InlineData("HangsInStop")]
    [InlineData("HangsInStop/1.0.0")]
    [InlineData("Gate/2.0.0")]
    public void Folder_that_is_copied_in_is_never_offered_until_somebody_says_that_it_is_whole(string folder)
    {
        var from = PluginRoot.Output("HangsInStop");
        Directory.CreateDirectory(_root.At(folder));
        Turn();
        foreach (var file in Directory.EnumerateFiles(from, "HangsInStop.d*"))
        {
            File.Copy(file, Path.Combine(_root.At(folder), Path.GetFileName(file)));
            Turn();
            Assert.Null(Kind("hangs-in-stop"));
        }
        // Something else happens, and it still does not count.
        _root.Drop(PluginRoot.Output("Gate"), "Gate/1.5.0");
        Turn();
        Assert.Null(Kind("hangs-in-stop"));
        Assert.Equal(PluginStatus.Refused, _plugins.Current.Plugins.Single(plugin => plugin.Path == _root.At(folder)).Status);

        _plugins.Refresh();
        Assert.NotNull(Kind("hangs-in-stop"));
    }

    [Fact]
    public void Empty_folder_is_no_news()
    {
        Directory.CreateDirectory(_root.At("Later"));
        Turn();
        Assert.Equal(0, _changes);
        Assert.DoesNotContain(_plugins.Current.Plugins, plugin => plugin.Name == "Later");
    }

    [Fact]
    public void Rename_that_was_taken_back_does_not_vouch_for_what_is_copied_to_its_place()
    {
        _root.Drop(PluginRoot.Output("HangsInStop"), "Gate/2.0.0");
        Directory.Move(_root.At("Gate/2.0.0"), _root.At("Gate/.away"));
        Directory.CreateDirectory(_root.At("Gate/2.0.0"));
        File.Copy(Path.Combine(PluginRoot.Output("HangsInStop"), "HangsInStop.dll"), _root.At("Gate/2.0.0/Gate.dll"));
        Turn();
        Assert.Null(Kind("hangs-in-stop"));
    }

    [Fact]
    public void Folder_that_goes_away_takes_its_kind_along()
    {
        _root.Drop(PluginRoot.Output("Gate"), "Gate/2.0.0");
        Turn();
        _root.Remove("Gate/2.0.0");
        Turn();
        Assert.Equal("1.0.0", Kind("gate")!.Plugin.Version);
        _root.Remove("Gate");
        Turn();
        Assert.Null(Kind("gate"));
        Assert.Equal(["built-in"], _plugins.Current.Plugins.Select(plugin => plugin.Name));
    }

    [Fact]
    public void Root_that_is_named_later_is_watched_too()
    {
        using var other = new PluginRoot();
        _plugins.Refresh(new PluginSettings([other.Path]));
        Turn();
        Assert.Null(Kind("gate"));
        other.Drop(PluginRoot.Output("Gate"), "Gate/3.0.0");
        Turn();
        Assert.Equal("3.0.0", Kind("gate")!.Plugin.Version);
    }

    // The kernel's clock for files is a coarse one: waits until what is made now is younger.
    private void AgeIsTold(string folder)
    {
        Assert.True(FileStatus.Read(folder, out var status).Ok);
        Assert.NotNull(status.Born);
        for (var i = 0; ; i++)
        {
            var probe = Directory.CreateDirectory(_root.At($".probe-{i}")).FullName;
            Assert.True(FileStatus.Read(probe, out var young).Ok);
            if (young.Born > status.Born) return;
        }
    }

    private PluginKind<NicHost.Contracts.Endpoints.IEndpointFactory>? Kind(string kind) => _plugins.Current.Endpoint("vm", kind);

    /// <summary>What happened is taken in, and the moment of quiet passes.</summary>
    private void Turn()
    {
        _loop.RunUntilIdle();
        _time.Advance(TimeSpan.FromMilliseconds(PluginWatcher.QuietMilliseconds));
        _loop.RunUntilIdle();
    }
}

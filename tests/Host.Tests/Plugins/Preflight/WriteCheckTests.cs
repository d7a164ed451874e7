using NicHost.Host.Plugins;
using NicHost.Host.Plugins.Preflight;
using NicHost.Linux;

namespace NicHost.Host.Tests.Plugins.Preflight;

/// <summary>Who else may write where plugins come from.</summary>
public sealed class WriteCheckTests : IDisposable
{
    private readonly PluginRoot _root = new();
    private readonly PluginFolder _folder;

    public WriteCheckTests()
    {
        _root.Write("P/1.0.0/P.dll", "any"u8);
        _folder = new PluginFolder("P", "1.0.0", _root.At("P/1.0.0"));
    }

    public void Dispose() => _root.Dispose();

    [Fact]
    public void Folders_of_the_hosts_user_are_taken_also_below_tmp()
    {
        Assert.True(FileStatus.Read("/tmp", out var tmp).Ok && tmp.IsSticky && tmp.IsOtherWritable);
        Assert.Null(WriteCheck.Host().Root(_root.Path));
        Assert.Null(WriteCheck.Host().Folder(_folder));
    }

    [Theory]
    [InlineData("P", UnixFileMode.OtherWrite, "everybody")]
    [InlineData("P/1.0.0", UnixFileMode.OtherWrite, "everybody")]
    [InlineData("P/1.0.0/P.dll", UnixFileMode.OtherWrite, "everybody")]
    [InlineData("P/1.0.0/P.dll", UnixFileMode.GroupWrite, "the group ")]
    public void What_others_may_write_is_refused_with_its_remedy(string path, UnixFileMode more, string who)
    {
        File.SetUnixFileMode(_root.At(path), File.GetUnixFileMode(_root.At(path)) | more);
        var refusal = Strict().Folder(_folder);
        Assert.StartsWith($"{_root.At(path)} may be written by {who}", refusal, StringComparison.Ordinal);
        Assert.Contains($"chmod go-w {_root.At(path)}, or allow it: --allow-writable-plugins", refusal, StringComparison.Ordinal);
    }

    [Fact]
    public void Sticky_bit_helps_a_folder_above_the_root_and_not_the_root_itself()
    {
        var above = Directory.CreateDirectory(_root.At("above")).FullName;
        var root = Directory.CreateDirectory(Path.Combine(above, "root")).FullName;
        File.SetUnixFileMode(above, File.GetUnixFileMode(above) | UnixFileMode.OtherWrite);
        Assert.StartsWith($"{above} may be written by everybody", Strict().Root(root), StringComparison.Ordinal);
        File.SetUnixFileMode(above, File.GetUnixFileMode(above) | UnixFileMode.StickyBit);
        Assert.Null(Strict().Root(root));
        Assert.StartsWith($"{above} may be written by everybody", Strict().Root(above), StringComparison.Ordinal);
    }

    [Fact]
    public void Links_are_followed_to_where_they_lead()
    {
        using var elsewhere = new PluginRoot();
        elsewhere.Write("open/lib.so", "any"u8);
        File.SetUnixFileMode(elsewhere.At("open"), File.GetUnixFileMode(elsewhere.At("open")) | UnixFileMode.OtherWrite);
        File.CreateSymbolicLink(_root.At("P/1.0.0/lib.so"), elsewhere.At("open/lib.so"));
        Assert.StartsWith($"{elsewhere.At("open")} may be written by everybody", Strict().Folder(_folder), StringComparison.Ordinal);

        File.CreateSymbolicLink(_root.At("link"), elsewhere.At("open"));
        Assert.StartsWith($"{_root.At("link")} (and 1 more like it) may be written by everybody", Strict().Root(_root.At("link")), StringComparison.Ordinal);
    }

    [Fact]
    public void Owner_who_is_neither_root_nor_the_hosts_user_is_refused_however_tight_the_mode()
    {
        var check = new WriteCheck([uint.MaxValue], UserDatabase.Read("/etc/passwd", "/etc/group"));
        var refusal = check.Folder(_folder);
        Assert.Contains("may be written by its owner ", refusal, StringComparison.Ordinal);
        Assert.Contains($"chown root {_root.At("P")}", refusal, StringComparison.Ordinal);
    }

    [Fact]
    public void Group_of_the_owner_alone_is_the_owner()
    {
        _root.Write("passwd", "root:x:0:0::/root:/bin/sh\nalice:x:1000:1000::/home/alice:/bin/sh\nbob:x:1001:1001::/home/bob:/bin/sh\ncarol:x:1002:100::/home/carol:/bin/sh\ndan:x:1003:1004::/:/bin/sh\ndora:x:1004:1004::/:/bin/sh\nbroken\n"u8);
        _root.Write("group", "root:x:0:\nalice:x:1000:\nbob:x:1001:bob,alice\nusers:x:100:\ncarol:x:1002:\ndan:x:1004:\n"u8);
        var users = UserDatabase.Read(_root.At("passwd"), _root.At("group"));
        Assert.True(users.IsOwnGroup(1000, 1000));
        Assert.False(users.IsOwnGroup(1001, 1001)); // has another member
        Assert.False(users.IsOwnGroup(1002, 100)); // of another name
        Assert.False(users.IsOwnGroup(1002, 1002)); // not the primary one
        Assert.False(users.IsOwnGroup(1003, 1004)); // another user's primary one, too
        Assert.False(users.IsOwnGroup(0, 0)); // root
        Assert.False(users.IsOwnGroup(4711, 4711)); // unknown
        Assert.Equal(("alice", "4711"), (users.UserName(1000), users.UserName(4711)));
        Assert.False(UserDatabase.Read(_root.At("missing"), _root.At("missing")).IsOwnGroup(1000, 1000));
    }

    [Fact]
    public void Catalog_refuses_a_writable_root_or_folder_and_takes_them_when_told_to()
    {
        _root.Drop(PluginRoot.Output("Gate"), "Gate/1.0.0");
        _root.Drop(PluginRoot.Output("HangsInStop"), "HangsInStop/1.0.0");
        File.SetUnixFileMode(_root.At("Gate"), File.GetUnixFileMode(_root.At("Gate")) | UnixFileMode.OtherWrite);
        var catalog = _root.Load();
        Assert.Null(catalog.Endpoint("vm", "gate"));
        Assert.NotNull(catalog.Endpoint("vm", "hangs-in-stop"));
        Assert.Equal(PluginStatus.Refused, catalog.Plugins.Single(plugin => plugin.Name == "Gate").Status);

        File.SetUnixFileMode(_root.Path, File.GetUnixFileMode(_root.Path) | UnixFileMode.OtherWrite);
        var refused = Assert.Single(_root.Load().Plugins, plugin => plugin.Name != "built-in");
        Assert.Equal((_root.Path, PluginStatus.Refused), (refused.Path, refused.Status));

        Assert.NotNull(PluginCatalog.Load(new PluginSettings([_root.Path]) { AllowWritable = true }).Endpoint("vm", "gate"));
    }

    /// <summary>As the process has it, but nobody has a group of their own.</summary>
    private static WriteCheck Strict() => new([0, ThisProcess.EffectiveUserId], UserDatabase.Read("/dev/null", "/dev/null"));
}

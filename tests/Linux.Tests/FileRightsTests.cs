using System.Runtime.Versioning;
using NicHost.Testing;

namespace NicHost.Linux.Tests;

[SupportedOSPlatform("linux")]
public sealed class FileRightsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("nichost-").FullName;
    private readonly string _path;

    public FileRightsTests()
    {
        _path = Path.Combine(_folder, "file");
        File.WriteAllText(_path, "");
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Rights_are_read_and_set()
    {
        var mine = new FileRights(0x1A0, ThisProcess.EffectiveUserId, FileRights.Of(_path).Group);
        mine.Apply(_path);
        Assert.Equal(mine, FileRights.Of(_path));
        Assert.Equal((UnixFileMode)0x1A0, File.GetUnixFileMode(_path));
    }

    [Fact]
    public void File_that_is_not_there_is_an_error()
    {
        File.Delete(_path);
        Assert.Equal(Errno.ENOENT, Assert.Throws<LinuxException>(() => FileRights.Of(_path)).Errno);
    }

    [Fact]
    public void Link_is_not_followed_to_its_owner()
    {
        string link = _path + ".link";
        File.CreateSymbolicLink(link, "/nowhere");
        Assert.Equal(ThisProcess.EffectiveUserId, FileRights.Of(link).Owner);
    }

    [Fact]
    public void Refused_owner_leaves_all_as_it_was() => Unprivileged.Run(_folder, () =>
    {
        FileRights before = FileRights.Of(_path);
        LinuxException error = Assert.Throws<LinuxException>(() => new FileRights(0x1B6, 0, before.Group).Apply(_path));
        Assert.Equal(Errno.EPERM, error.Errno);
        Assert.Contains("user 0", error.Message, StringComparison.Ordinal);
        Assert.Equal(before, FileRights.Of(_path));
    });

    [Fact]
    public void Root_gives_files_away()
    {
        if (!Environment.IsPrivilegedProcess) return;
        new FileRights(0x1B0, 1, 2).Apply(_path);
        Assert.Equal(new FileRights(0x1B0, 1, 2), FileRights.Of(_path));
    }

    [Fact]
    public void Accounts_are_found_by_name()
    {
        Assert.Equal(0u, Accounts.FindUser("root"));
        Assert.Equal(0u, Accounts.FindGroup("root"));
        Assert.Null(Accounts.FindUser("no-such-user"));
        Assert.Null(Accounts.FindGroup("no-such-group"));
    }
}

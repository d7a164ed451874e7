namespace NicHost.Linux.Tests;

public sealed class InotifyTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("nichost-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void File_replaced_by_renaming_is_reported_with_its_name()
    {
        using Inotify inotify = new();
        int watch = (int)inotify.Add(_folder, InotifyEvents.AnyChange).OrThrow("watch");
        List<InotifyReport> reports = [];
        Assert.Equal(0, inotify.Drain(reports).Value);
        string path = Path.Combine(_folder, "resolv.conf");
        File.WriteAllText(path + ".new", "nameserver 10.0.2.3");
        File.Move(path + ".new", path);

        Assert.Equal(PollEvents.In, Io.Poll(inotify.Raw, PollEvents.In, 1000));
        Assert.InRange(inotify.Drain(reports).Count, 2, 10);
        Assert.Contains(new InotifyReport(watch, InotifyEvents.MovedTo, "resolv.conf"), reports);
        Assert.Contains(new InotifyReport(watch, InotifyEvents.Create, "resolv.conf.new"), reports);
    }

    [Fact]
    public void Removed_watch_says_so_and_ends()
    {
        using Inotify inotify = new();
        int watch = (int)inotify.Add(_folder, InotifyEvents.AnyChange).OrThrow("watch");
        Assert.True(inotify.Remove(watch).Ok);
        File.WriteAllText(Path.Combine(_folder, "x"), "");
        List<InotifyReport> reports = [];
        Assert.Equal(1, inotify.Drain(reports).Count);
        Assert.Equal(InotifyEvents.Ignored, reports[0].Events);
        Assert.Equal(Errno.ENOENT, inotify.Add("/no/such/folder", InotifyEvents.Modify).Error);
    }

    [Fact]
    public void Files_are_opened_by_path()
    {
        string path = Path.Combine(_folder, "f");
        Assert.Equal(Errno.ENOENT, Io.Open(path, FileAccess.Read).Error);
        File.WriteAllText(path, "abc");
        using Fd fd = new((int)Io.Open(path, FileAccess.ReadWrite).OrThrow("open"));
        byte[] data = new byte[8];
        Assert.Equal(3, Io.Read(fd.Raw, data).Count);
        Assert.Equal(1, Io.Write(fd.Raw, "d"u8).Count);
        Assert.Equal("abcd", File.ReadAllText(path));
    }
}

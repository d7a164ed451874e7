using System.Text.Json;
using NicHost.Linux;
using NicHost.Testing;
using NicHost.Virtio.Tests.Rig;

namespace NicHost.Virtio.Tests.VhostUser;

/// <summary>Who may connect to the socket.</summary>
public sealed class SocketRightsTests
{
    [Fact]
    public void Socket_file_has_the_mode_asked_for()
    {
        using var nic = Nic.Started();
        Assert.Equal(0x180u, FileRights.Of(nic.Path).Mode);
        using var open = Nic.Started(extra: ",\"socketMode\":\"0660\"");
        Assert.Equal(0x1b0u, FileRights.Of(open.Path).Mode);
    }

    [Fact]
    public void Mode_changes_while_a_front_end_is_attached()
    {
        using var nic = Nic.Started();
        using var guest = Guest.Running(nic);
        nic.Reconfigure(",\"socketMode\":\"0666\"");
        Assert.Equal(0x1b6u, FileRights.Of(nic.Path).Mode);
        guest.Send(new byte[60]);
        Assert.Single(nic.Queue.Frames);
        Assert.False(guest.Front.IsClosed);
    }

    [Fact]
    public void Owner_and_group_are_set_by_name_or_number_and_go_back_when_they_are_left_out()
    {
        if (!Environment.IsPrivilegedProcess) return;
        using var nic = Nic.Started(extra: ",\"owner\":\"nobody\",\"group\":\"4\",\"socketMode\":\"0660\"");
        Assert.Equal(new FileRights(0x1b0, Unprivileged.Nobody, 4), FileRights.Of(nic.Path));
        nic.Reconfigure(",\"owner\":\"1\",\"group\":\"daemon\",\"socketMode\":\"0600\"");
        Assert.Equal(new FileRights(0x180, 1, 1), FileRights.Of(nic.Path));
        nic.Reconfigure("");
        Assert.Equal(new FileRights(0x180, 0, 0), FileRights.Of(nic.Path));
    }

    [Fact]
    public void Owner_that_the_kernel_refuses_at_the_start_is_told_with_a_remedy_and_leaves_no_socket()
    {
        var nic = new Nic(extra: ",\"owner\":\"root\"");
        Unprivileged.Run(Path.GetDirectoryName(nic.Path)!, () =>
        {
            var error = Assert.Throws<IOException>(() => nic.Device.Start(nic.Backend));
            Assert.Contains("Only root gives files to other users", error.Message, StringComparison.Ordinal);
            Assert.Contains(nic.Path, error.Message, StringComparison.Ordinal);
        });
        Assert.False(File.Exists(nic.Path));
        nic.Dispose();
    }

    [Fact]
    public void Owner_that_the_kernel_refuses_later_leaves_the_rights_as_they_were()
    {
        using var nic = Nic.Started(extra: ",\"socketMode\":\"0660\"");
        Unprivileged.Run(Path.GetDirectoryName(nic.Path)!, () =>
        {
            var before = FileRights.Of(nic.Path);
            Assert.Throws<IOException>(() => nic.Reconfigure(",\"owner\":\"root\",\"socketMode\":\"0666\""));
            Assert.Equal(before, FileRights.Of(nic.Path));
            Assert.Contains("Somebody has removed the file", Removed(nic).Message, StringComparison.Ordinal);
        });

        static IOException Removed(Nic nic)
        {
            File.Delete(nic.Path);
            return Assert.Throws<IOException>(() => nic.Reconfigure(",\"socketMode\":\"0666\""));
        }
    }

    [Theory]
    [InlineData(",\"socketMode\":\"0666\",\"owner\":\"root\",\"group\":\"0\"", true)]
    [InlineData(",\"mode\":\"client\"", false)]
    [InlineData(",\"inBandNotifications\":true", false)]
    public void Only_the_rights_can_change(string extra, bool can)
    {
        using var nic = new Nic();
        Assert.Equal(can, new VirtioFactory().CanReconfigure(nic.Context, nic.Context with { Options = nic.Options(extra) }));
    }

    [Fact]
    public void Socket_queues_mac_and_mtu_cannot_change()
    {
        using var nic = new Nic();
        var factory = new VirtioFactory();
        Assert.False(factory.CanReconfigure(nic.Context, nic.Context with { Mtu = 1400 }));
        Assert.False(factory.CanReconfigure(nic.Context, nic.Context with { Mac = default }));
        Assert.False(factory.CanReconfigure(nic.Context, nic.Context with { Options = Json("""{"socket":"/tmp/other.sock"}""") }));
        Assert.False(factory.CanReconfigure(nic.Context, nic.Context with { Options = Json($$"""{"socket":"{{nic.Path}}","queues":2}""") }));
        // The same socket by another way.
        Assert.True(factory.CanReconfigure(nic.Context, nic.Context with { Options = Json("""{"socket":"nic.sock","queues":1}""") }));

        static JsonElement Json(string text) => JsonDocument.Parse(text).RootElement;
    }
}

namespace NicHost.Virtio.VhostUser;

/// <summary>Rights of the socket file, as asked for.</summary>
/// <param name="Mode">The mode.</param>
/// <param name="Owner">User id; null: as the file was made.</param>
/// <param name="Group">Group id; null: as the file was made.</param>
internal readonly record struct SocketRights(uint Mode, uint? Owner = null, uint? Group = null);
